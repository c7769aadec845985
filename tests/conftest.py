"""What all tests need of the process that they run in."""

from __future__ import annotations

import signal

from hypothesis import settings

# How long an example takes is the machine's load, not a fault. .ci/run asks for the profile `ci`, which comes after this one.
settings.register_profile("any-machine", deadline=None)
settings.load_profile("any-machine")

# A shell starts what runs in the background with SIGINT ignored, and commands would inherit that: the tests that press Ctrl-C need it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
