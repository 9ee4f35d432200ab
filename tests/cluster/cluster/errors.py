# SPDX-License-Identifier: Apache-2.0
"""The one exception of this package: something a person can act on."""


class ClusterError(Exception):
    """Says what failed, what was found and, where known, what would help."""
