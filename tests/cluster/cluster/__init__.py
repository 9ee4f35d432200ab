# SPDX-License-Identifier: Apache-2.0
"""Real Kubernetes clusters on this machine, for tests."""
