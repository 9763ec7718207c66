# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Stand-ins for what lies outside of this machine; for people and for tests, never shipped."""
