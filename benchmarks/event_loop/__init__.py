# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""What user_environment measures, run in an environment like the hub's."""
