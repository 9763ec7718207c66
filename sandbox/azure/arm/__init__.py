# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Azure Resource Manager."""
