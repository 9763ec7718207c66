# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""A stand-in for Azure: an HTTPS proxy that answers for Azure's host names."""
