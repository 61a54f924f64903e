"""Airflow's DAGs as exported: its REST API, its command line, serialized DAGs, dag-factory, and pools.

{"dags": [{"dag_id": "daily", "timetable_summary": "15 4 * * *", "catchup": false, "max_active_runs": 1}]}
{"dag": {"dag_id": "daily", "timetable": {"__type": "...CronDataIntervalTimetable", "__var": {...}}}}

schedule.cron, schedule.zone, schedule.catch_up and concurrency of a plan's ingestion come from it. DAG
files in Python are not read: nothing that a repository holds is executed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pipelineplan.documents import Document, Path
from pipelineplan.facts.amounts import flag, whole
from pipelineplan.facts.fact import NO_PLACE, About, FileText, Notes, Reading, Thing, listing, mapping

TOOL = "Airflow"
PRESETS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@quarterly": "0 0 1 */3 *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
_DAG = re.compile(r"""["']?_?dag_id["']?\s*:|"property_name"\s*:\s*"dag_id\"""")
_FACTORY = re.compile(r"^[ \t]+schedule(?:_interval)?[ \t]*:", re.MULTILINE)
_TASKS = re.compile(r"^[ \t]+(?:tasks|task_groups)[ \t]*:", re.MULTILINE)
_POOLS = re.compile(r'"slots"\s*:\s*-?\d')
_CRON = re.compile(r"[\d*/,LW#?A-Za-z-]+(?:[ \t]+[\d*/,LW#?A-Za-z-]+){4}\Z")
_SCHEDULES = ("timetable", "schedule_interval", "schedule", "timetable_summary")
_FACTS = {"catchup", "max_active_runs", "timezone", *_SCHEDULES}
_NAMES = {"dag_id", "_dag_id", "dag_display_name"}


def recognises(file: FileText) -> bool:
    """Whether the file lists DAGs, or pools, by the keys that Airflow gives them."""
    if not file.base.endswith((".json", ".yaml", ".yml")):
        return False
    factory = _FACTORY.search(file.text) is not None and _TASKS.search(file.text) is not None
    return _DAG.search(file.text) is not None or _POOLS.search(file.text) is not None or factory


def read(file: FileText) -> Reading:
    """Every DAG and pool of the file."""
    notes = Notes(TOOL, file.name)
    for document in file.documents:
        for name, path, value in _dags(document.data, ()):
            _dag(name, path, value, document, notes)
        for name, path, slots in _pools(document.data):
            pool = notes.about(Thing.POOL, name, document.position(path))
            pool.skip(f"slots: {slots}", NO_PLACE, document.position((*path, "slots")))
    return notes.done()


def _dags(value: Any, path: Path) -> Iterator[tuple[str, Path, dict[str, Any]]]:
    """Name, place and content of each DAG: in a list, under `dag` or `dags`, by property, or by its key."""
    if isinstance(value, list):
        properties = {str(mapping(e).get("property_name")): mapping(e).get("property_value") for e in value}
        if "dag_id" in properties:
            yield str(properties["dag_id"]), path, properties
            return
        for index, entry in enumerate(value):
            yield from _dags(entry, (*path, index)) if isinstance(entry, dict) else ()
        return
    here = mapping(value)
    name = here.get("dag_id") or here.get("_dag_id")
    if name is not None:
        yield str(name), path, here
        return
    for key, inner in here.items():
        below = mapping(inner)
        if key in {"dags", "dag"}:
            yield from _dags(inner, (*path, key))
        elif not path and key != "default" and ("tasks" in below or "task_groups" in below):
            yield key, (key,), below  # dag-factory


def _pools(value: Any) -> Iterator[tuple[str, Path, object]]:
    here = mapping(value)
    for index, entry in enumerate(listing(here.get("pools"))):
        pool = mapping(entry)
        if "slots" in pool:
            yield str(pool.get("name") or pool.get("pool") or ""), ("pools", index), pool["slots"]
    for key, entry in here.items():
        if "slots" in mapping(entry) and "dag_id" not in mapping(entry):
            yield key, (key,), mapping(entry)["slots"]


def _dag(name: str, path: Path, value: dict[str, Any], document: Document, notes: Notes) -> None:
    pools = sorted({str(mapping(task).get("pool")) for task in _tasks(value) if mapping(task).get("pool")})
    dag = notes.about(Thing.DAG, name, document.position(path), pools=pools)
    found = next((key for key in _SCHEDULES if value.get(key) is not None), None)
    if found is not None:
        _schedule(dag, found, value[found], document, (*path, found))
    if isinstance(value.get("timezone"), str):
        zone = value["timezone"]
        dag.fact("schedule.zone", zone, f"timezone: {zone}", document.position((*path, "timezone")))
    catch_up, most = flag(value.get("catchup")), whole(value.get("max_active_runs"))
    if catch_up is not None:
        written = f"catchup: {str(catch_up).lower()}"
        dag.fact("schedule.catch_up", catch_up, written, document.position((*path, "catchup")))
    if most is not None and most >= 1:
        place = document.position((*path, "max_active_runs"))
        dag.fact("concurrency", most, f"max_active_runs: {most}", place)
    for key in value:
        if key not in _FACTS | _NAMES:
            dag.skip(key, NO_PLACE, document.position((*path, key)))


def _tasks(value: dict[str, Any]) -> list[Any]:
    tasks = value.get("tasks")
    return list(tasks.values()) if isinstance(tasks, dict) else listing(tasks)


def _schedule(dag: About, key: str, value: Any, document: Document, path: Path) -> None:
    """A cron expression or a preset; everything else that starts a DAG is said as it is."""
    inner = mapping(value)
    own = mapping(inner.get("__var"))
    first = next(iter(listing(inner.get("__args__"))), None)  # dag-factory: the timetable's arguments
    known = (own.get("expression"), inner.get("value"), inner.get("expression"), inner.get("cron"), first)
    text = str(next((each for each in known if each), value)).strip()
    where = document.position(path)
    for below, holder in (((*path, "__var"), own), (path, inner)):
        zone = holder.get("timezone")
        if isinstance(zone, str):
            written = f"timezone: {zone}"
            dag.fact("schedule.zone", zone, written, document.position((*below, "timezone")))
    cron = PRESETS.get(text.lower(), text)
    if _CRON.match(cron) and not inner.get("__type", "").endswith("TimeDelta"):
        dag.fact("schedule.cron", " ".join(cron.split()), f"{key}: {text}", where)
    elif text.lower() not in {"none", "null", ""}:
        dag.skip(
            f"{key}: {text}", "no cron expression: a period, a dataset or a timetable", where, "schedule.cron"
        )
