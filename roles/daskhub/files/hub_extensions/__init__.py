# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Python that runs inside the hub: imported by jupyterhub_config.d, the same files on every platform."""
