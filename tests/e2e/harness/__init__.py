# SPDX-License-Identifier: Apache-2.0
"""What the proofs on a real cluster are made with: a stage for each test, the program under test,
the objects' own history, and the questions that are asked of it."""
