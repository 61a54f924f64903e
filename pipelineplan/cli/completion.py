"""Print what makes a shell complete commands, options, choices, rules and scenarios at the Tab key.

    pipelineplan completion bash >> ~/.bash_completion
    pipelineplan completion zsh > ~/.zfunc/_pipelineplan        with fpath+=~/.zfunc before compinit
    pipelineplan completion fish > ~/.config/fish/completions/pipelineplan.fish

The script is written from the commands as they are installed and runs nothing but the shell: print it again
after an upgrade. Needs the extra `completion`.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Iterator, Mapping

from pipelineplan.cli.output import say
from pipelineplan.errors import MissingExtraError

SHELLS = ("bash", "zsh", "fish")
# Arguments that name a place, by what their help calls them; the others complete to nothing of the disk.
_FILES = frozenset(("PLAN", "FILE", "PATH", "OLD", "NEW", "OTHER", "DATA", "SCHEMA"))
_FOLDERS = frozenset(("DIR", "FOLDER"))


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `completion`."""
    parser.add_argument("shell", choices=SHELLS, help="the shell that the script is for")


def run(options: argparse.Namespace) -> int:
    """Print the script for the shell."""
    try:
        import shtab
    except ImportError:
        raise MissingExtraError("completion", "completion") from None
    from pipelineplan.cli import VERBS, parser_of

    parser = parser_of(VERBS)
    for verb, command in _commands(parser):
        command.description = VERBS[verb]  # shells show it beside the verb
        for action in command._actions:  # noqa: SLF001  (argparse has no other way to list them)
            _tell(verb, action)
    say(shtab.complete(parser, options.shell).rstrip("\n"))
    return 0


def _commands(parser: argparse.ArgumentParser) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Every verb with its own parser."""
    for action in parser._actions:  # noqa: SLF001  (see above)
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001  (see above)
            yield from action.choices.items()


def _tell(verb: str, action: argparse.Action) -> None:
    """Say what may stand in the place of an argument, beside the choices that it has itself."""
    import shtab

    name = action.option_strings[-1] if action.option_strings else action.dest
    values = _VALUES.get((verb, name))
    called = str(action.metavar)
    if values is not None:
        action.choices = tuple(values())
    elif action.nargs == 0 or action.choices:
        return
    elif called in _FOLDERS:
        action.complete = shtab.DIRECTORY  # type: ignore[attr-defined]
    elif called in _FILES:
        action.complete = shtab.FILE  # type: ignore[attr-defined]


def _rules() -> Iterable[str]:
    from pipelineplan.rules import rule_codes

    return rule_codes()


def _families() -> Iterable[str]:
    """Codes and their beginnings: `--select CAP` is every rule of capacity."""
    codes = list(_rules())
    return sorted({*(code[:3] for code in codes), *codes})


def _scenarios() -> Iterable[str]:
    from pipelineplan.simulation.acts.library import read_library

    return (*sorted(recipe.name for recipe in read_library()), "all")


def _modes() -> Iterable[str]:
    from pipelineplan.contracts.evolution.modes import Mode

    return tuple(mode.value for mode in Mode)


def _sinks() -> Iterable[str]:
    from pipelineplan.contracts.sinks import SINKS

    return tuple(SINKS)


def _steps() -> Iterable[str]:
    """The steps of the example's runbooks; what another plan adds has names that only that plan knows."""
    from pipelineplan import catalogue
    from pipelineplan.bundle import compile_contents
    from pipelineplan.plan import read_plan

    plan = read_plan(catalogue.folder("examples") / "orders-to-warehouse" / "plan.yaml")
    checklists = compile_contents(plan, ()).checklists
    return tuple(dict.fromkeys(step.id for each in checklists for step in each.steps))


_VALUES: Mapping[tuple[str, str], Callable[[], Iterable[str]]] = {
    ("explain", "rule"): _rules,
    ("check", "--select"): _families,
    ("check", "--ignore"): _families,
    ("simulate", "--scenario"): _scenarios,
    ("compat", "--mode"): _modes,
    ("compat", "--sink"): _sinks,
    ("cutover", "--record"): _steps,
}
