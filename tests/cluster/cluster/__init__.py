# SPDX-License-Identifier: Apache-2.0
"""Real Kubernetes clusters on this machine, for tests."""

from .cluster import Cluster, running, wait_for
from .errors import ClusterError

__all__ = ["Cluster", "ClusterError", "running", "wait_for"]
