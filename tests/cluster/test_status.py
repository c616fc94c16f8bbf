from __future__ import annotations

from dataclasses import replace

import pytest

from synthcity.cluster.folder import Folder
from synthcity.cluster.status import status
from synthcity.errors import Fatal
from tests.cluster.test_folder import head
from tests.ports import free_ports


def test_a_dashboard_that_does_not_answer_is_told(folder: Folder) -> None:
    with pytest.raises(Fatal, match=r"the dashboard at http://127.0.0.1:.* does not answer"):
        status(folder, replace(head(), url=f"http://127.0.0.1:{free_ports(1)[0]}"))
