# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Sign-in: login.microsoftonline.com, as far as applications and the people who use them need it.

Sources: https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow,
https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow
"""
