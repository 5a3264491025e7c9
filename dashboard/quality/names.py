"""Identifiers of the Quality page, and the names of its options."""

from dashboard import ids

PAGE = "quality"

SHOWN = "quality-shown"
EQUATION = "quality-equation"
BARS = ids.chart("quality-bars")
COMPLETENESS = "quality-completeness"
COMPLETENESS_BOX = "quality-completeness-box"
COMPLETENESS_TEXT = "quality-completeness-text"
CELL = "quality-cell"
CLIENTS = "quality-clients"
DAMAGE = "quality-damage"
GROUPS = "quality-groups"
GROUPS_TEXT = "quality-groups-text"

DRAWER = "quality-drawer"
OPENED = "quality-opened"
LAST = "quality-last"
DRAWER_HEAD = "quality-drawer-head"
MESSAGES = "quality-messages"
FORM = "quality-form"
OLDER = "quality-older"
NEWEST = "quality-newest"
PREVIEW = "quality-preview"
REPLAY = "quality-replay"
ACTIONS = "quality-actions"
JOB = "quality-job"
JOB_TICKER = "quality-job-ticker"
RESULT = "quality-result"

OF, MESSAGES_OF, READINGS_OF = "of", "messages", "readings"
BARS_OF, ALL_BARS, FEW_BARS = "bars", "all", "rest"
"""Options of the view: what is counted, and which outcomes have bars."""
