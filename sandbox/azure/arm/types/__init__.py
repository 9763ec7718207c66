# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""The types of resources, one module for each provider."""
