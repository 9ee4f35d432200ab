# SPDX-License-Identifier: Apache-2.0
"""Measures Sluice on real control planes, and KubeVela 1.0.0 beside it."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "cluster"))
