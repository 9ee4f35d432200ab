# SPDX-License-Identifier: Apache-2.0
"""What tests/runner.py is made of."""
