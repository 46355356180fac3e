# SPDX-License-Identifier: Apache-2.0
"""Workers killed in any moment under readers that verify: bench/chaos does ten
thousand of it, this five hundred. SECRETSFS_CHAOS_KILLS is how many in all."""

import os
import sys

sys.path.insert(0, sys.path[0] + "/..")

from lib.chaos import chaos, check_chaos
from lib.tap import case, main

# Four parts, so that each has time enough on any machine.
KILLS = int(os.environ.get("SECRETSFS_CHAOS_KILLS", "500")) // 4


def _run(seed, *options):
    found = chaos(KILLS, *options, seed=seed)
    print(f"# {found}", flush=True)
    check_chaos(found)


@case
def no_reader_sees_it_where_the_kernel_sends_requests_again():
    _run(1)


@case
def nor_in_other_moments():
    _run(2)


@case
def no_reader_sees_it_where_the_journal_has_them():
    _run(3, "--test-no-resend")


@case
def nor_there_in_other_moments():
    _run(4, "--test-no-resend")


main()
