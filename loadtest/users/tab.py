"""The tab Orrery of Locust's web page: the proxy's figures beside Locust's own.

By the extension of Locust docs, extending-locust, "Extending Web UI": the page takes tabs and tables as
template arguments, and their rows from the answer that it polls.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from flask import request

from loadtest.proxy_stats import StatsAway, Window, rows
from loadtest.users.arguments import read_arguments

if TYPE_CHECKING:
    from flask import Response
    from locust.env import Environment

_KEY: Final = "orrery"
_POLLED: Final = "/stats/requests"


def add_tab(environment: Environment) -> None:
    """Add the tab where there are a web page and a proxy to look at."""
    page = environment.web_ui
    if page is None or page.app is None or environment.parsed_options is None:
        return
    arguments = read_arguments(environment.parsed_options)
    if not arguments.stats_url:
        return
    window = Window(arguments.stats_url, arguments.stats_token)
    columns = [{"key": "name", "title": "Figure"}, {"key": "figure", "title": "Since the proxy's start"}]
    page.template_args |= {
        "extended_tabs": [{"title": "Orrery", "key": _KEY}],
        "extended_tables": [{"key": _KEY, "structure": columns}],
    }

    def add_rows(response: Response) -> Response:
        if request.path.endswith(_POLLED) and response.status_code == 200:
            table = {"key": _KEY, "data": table_rows(window)}
            response.set_data(json.dumps({**response.get_json(), "extended_stats": [table]}))
        return response

    page.app.after_request(add_rows)


def table_rows(window: Window) -> list[dict[str, int | str]]:
    """What the table shows: the figures, or why there are none."""
    try:
        found = rows(window.look())
    except StatsAway as error:
        found = [("not available", str(error))]
    return [{"name": name, "safe_name": name, "figure": figure} for name, figure in found]
