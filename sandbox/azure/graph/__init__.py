# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Microsoft Graph, as far as look-ups and app registrations need it: applications, service principals, users, groups.

The directory is a plain dict that the store keeps: one dict of objects by object id for each collection. Advanced
queries (``$search``, ``ne``, ``not``, ``$expand``) are refused, as Graph refuses them without ``ConsistencyLevel``.
Source: https://learn.microsoft.com/graph/api/overview
"""
