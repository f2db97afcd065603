"""The contract between the channel and a shop, told as tests.

A module that runs them says ``from contract.suite import *`` and has two fixtures:
``store``, the shop's implementation of the port, and ``shop``, its ``StaffDriver``.
"""

from __future__ import annotations

from contract.cancelling import *  # noqa: F403
from contract.creating import *  # noqa: F403
from contract.customers import *  # noqa: F403
from contract.fixtures import *  # noqa: F403
from contract.racing import *  # noqa: F403
from contract.redacting import *  # noqa: F403
from contract.refunding import *  # noqa: F403
from contract.resolving import *  # noqa: F403
from contract.shipping import *  # noqa: F403
from contract.stocking import *  # noqa: F403
