# SPDX-License-Identifier: Apache-2.0
"""Somebody who works beside a test."""

import threading


class Worker:
    """Works from its creation until `close`, in a thread: that is `_work`, which ends when `closing`
    is set. Whoever derives from it calls this constructor last."""

    def __init__(self):
        self.closing = threading.Event()
        self.thread = threading.Thread(target=self._work, daemon=True)
        self.thread.start()

    def close(self) -> None:
        self.closing.set()
        self.thread.join(10)
