#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Does check_rooms.py see what it is there to see?"""

import pathlib
import subprocess
import sys
import tempfile
import unittest

CHECK = pathlib.Path(__file__).with_name("check_rooms.py")


class CheckRooms(unittest.TestCase):
    def check(self, files):
        with tempfile.TemporaryDirectory() as root:
            for name, text in files.items():
                path = pathlib.Path(root, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
            return subprocess.run(
                [sys.executable, CHECK, root], capture_output=True, text=True, check=False
            )

    def assert_offends(self, offence, files):
        done = self.check(files)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn(offence, done.stdout)

    def test_what_is_allowed(self):
        done = self.check(
            {
                "core/base/text.h": "#include <stddef.h>\n",
                "core/rollout/plan.c": '#include "rollout/plan_private.h"\n',
                "core/rollout/batch.c": '#include "base/text.h"\n',
                "core/rollout/plan_private.h": "",
                "core/adapter/load.c": "#include <sluice/abi.h>\n",
                "core/reconcile/pass.c": '#include "rollout/plan.h"\n#include "oam/status.h"\n',
                "core/main.c": '#include "reconcile/pass.h"\n#include "cli/show.h"\n',
                "sdk/check/main.c": '#include "adapter/case.h"\n#include <sluice/abi.h>\n',
                "plugins/x/x.c": "#include <sluice/adapter.h>\n#include <jansson.h>\n",
            }
        )
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertIn("9 files, 0 offences", done.stdout)

    def test_a_room_above(self):
        self.assert_offends(
            "core/base/text.c: includes rollout/plan.h; base may use nothing but itself",
            {"core/base/text.c": '#include "rollout/plan.h"\n'},
        )

    def test_a_room_beside(self):
        self.assert_offends(
            "core/rollout/plan.c: includes cluster/cluster.h; rollout may use base",
            {"core/rollout/plan.c": '# include "cluster/cluster.h"\n'},
        )

    def test_a_plugin_that_reaches_into_the_core(self):
        self.assert_offends(
            "plugins/x/x.c: includes base/json.h; plugins may use common, sdk",
            {"plugins/x/x.c": '#include "base/json.h"\n'},
        )

    def test_a_plugin_that_reaches_into_another(self):
        self.assert_offends(
            "plugins/x/x.c: includes y/y.h; plugins may use common, sdk",
            {"plugins/x/x.c": '#include "y/y.h"\n', "plugins/y/y.h": ""},
        )

    def test_the_sdk_stands_alone(self):
        self.assert_offends(
            "sdk/include/sluice/abi.h: includes base/json.h",
            {"sdk/include/sluice/abi.h": '#include "base/json.h"\n'},
        )

    def test_a_private_header_by_its_name(self):
        self.assert_offends(
            "which is private to rollout",
            {
                "core/rollout/machine_private.h": "",
                "core/oam/status.c": '#include "rollout/machine_private.h"\n',
            },
        )

    def test_a_private_header_by_its_words(self):
        self.assert_offends(
            "which is private to cluster",
            {
                "core/cluster/list.h": "/* Takes lists apart. Private to core/cluster. */\n",
                "core/oam/status.c": '#include "cluster/list.h"\n',
            },
        )

    def test_a_room_that_nobody_has_planned(self):
        self.assert_offends('no room "attic"', {"core/attic/old.c": ""})

    def test_nothing_to_check(self):
        self.assertEqual(self.check({}).returncode, 1)


if __name__ == "__main__":
    unittest.main()
