# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Key Vault's data plane (``<vault>.vault.azure.net``): secrets and imported certificates.

The content of one vault is a plain dict that the store keeps::

    {"secrets": {<name>: {"versions": [<bundle>, …], "deleted": {…} | None}}, "certificates": {…}}

Every call names the data action it needs; :mod:`.rights` says whether that is granted.
Source: https://learn.microsoft.com/rest/api/keyvault
"""
