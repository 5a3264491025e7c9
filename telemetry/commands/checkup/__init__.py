"""What `python -m telemetry doctor` looks at in an installation."""

from collections.abc import Iterator

from telemetry.commands.checkup.folders import check_disk, check_folders, check_secrets
from telemetry.commands.checkup.ports import check_ports
from telemetry.commands.checkup.processes import check_processes
from telemetry.commands.checkup.stored import check_store
from telemetry.commands.checkup.versions import check_versions
from telemetry.finding import Finding, Severity
from telemetry.settings import Settings


def check_installation(settings: Settings, now_us: int) -> Iterator[Finding]:
    """Every check, in the order in which one thing rests on another; works while all is stopped."""
    yield from check_versions()
    if not settings.data_dir.is_dir():
        remedy = "run make run, which sets everything up, or set CULEX_DATA_DIR"
        seen = f"There is no folder {settings.data_dir}"
        yield Finding("data", Severity.FAIL, seen, remedy=remedy)
        return
    yield from check_folders(settings)
    yield from check_secrets(settings)
    yield from check_disk(settings)
    yield from check_processes(settings)
    yield from check_ports(settings, now_us)
    yield from check_store(settings, now_us)
