"""The link that is printed."""

from __future__ import annotations

import pytest
from samcell_dashboard.security import allowed_hosts
from samcell_dashboard.server import link_to

OWN = ["192.168.1.7", "scope-pc"]


@pytest.mark.parametrize(
    ("host", "link"),
    [
        ("10.0.0.4", "http://10.0.0.4:8050/"),
        ("scope-pc.lab", "http://scope-pc.lab:8050/"),
        ("fe80::7", "http://[fe80::7]:8050/"),
        ("0.0.0.0", "http://192.168.1.7:8050/"),
        ("::", "http://192.168.1.7:8050/"),
    ],
)
def test_the_link_leads_to_the_chosen_address_and_is_let_in(host: str, link: str) -> None:
    assert link_to(host, 8050, OWN) == link
    assert link.split("/")[2] in allowed_hosts(host, 8050, OWN)
