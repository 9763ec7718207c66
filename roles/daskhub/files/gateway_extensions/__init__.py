# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Python that runs inside Dask Gateway: imported by its configuration, the same files on every platform."""
