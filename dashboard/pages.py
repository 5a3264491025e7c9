"""The pages there are, in the order of the navigation; the first is the start."""

from collections.abc import Sequence

import dashboard.admin.page
import dashboard.broker.page
import dashboard.client_page
import dashboard.clients.page
import dashboard.compare.page
import dashboard.fleet.page
import dashboard.playground.page
import dashboard.quality.page
import dashboard.topics.page
from dashboard.page import Page

PAGES: Sequence[Page] = (
    dashboard.fleet.page.PAGE,
    dashboard.client_page.PAGE,
    dashboard.compare.page.PAGE,
    dashboard.broker.page.PAGE,
    dashboard.quality.page.PAGE,
    dashboard.topics.page.PAGE,
    dashboard.playground.page.PAGE,
    dashboard.clients.page.PAGE,
    dashboard.admin.page.PAGE,
)
