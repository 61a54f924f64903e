"""The command line: one module per verb, and exit statuses that mean one thing everywhere.

0  it holds      1  something does not hold      2  unusable input      3  the tool itself failed
"""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Collection, Sequence
from importlib import import_module
from pathlib import Path

from pipelineplan import __version__
from pipelineplan.cli.output import seen_from_here, show_problems
from pipelineplan.cli.parsing import Parser, explain_the_rest
from pipelineplan.errors import InputError, MissingExtraError, Position, Problem

VERBS = {
    "init": "a plan to start from",
    "check": "every static rule, over one or many plans",
    "explain": "a rule, and the plan's own values put into it",
    "simulate": "what happens when it is late, down, or replayed",
    "profile": "measure a recorded stream",
    "test": "run the compiled quality suites on data, or the plan's windows on a real engine",
    "compat": "whether a schema may change, and who breaks",
    "diff": "what a change of a plan changes",
    "cutover": "the runbook with computed thresholds",
    "bundle": "everything, compiled into one folder",
    "export": "a plan in other tools' formats: topics, jobs, alerts, objectives",
    "verify": "whether a bundle is whole and unaltered",
    "schema": "JSON Schemas of the plan and of the outputs",
    "completion": "what makes a shell complete commands, options and codes",
    "doctor": "what is installed, and what an extra would add",
}


_START = """to begin with:
  pipelineplan init my-plans --demo           two plans, one of which fails and says why
  pipelineplan init plans --from deploy       plans drawn up from your configuration
  pipelineplan check plans                    do they hold?
  pipelineplan COMMAND --help                 options and examples of a command

exit status: 0 holds, 1 does not hold, 2 unusable input, 3 the tool itself failed
NO_COLOR=1 leaves colour out, FORCE_COLOR=1 puts it into a log; with CI set no progress is shown"""


def run(arguments: Sequence[str]) -> int:  # noqa: PLR0911  (one return for each way to end)
    """Run one command line and return its exit status."""
    _write_what_can_be_written()
    parser = parser_of([word for word in arguments if word in VERBS][:1])
    options = parser.parse_args(list(arguments))
    if options.verb is None:
        parser.print_help()
        return 2
    try:
        status: int = options.run(options)
        sys.stdout.flush()
    except InputError as error:
        plan = getattr(options, "plan", None)
        found = seen_from_here(error.problems, plan) if isinstance(plan, Path) else error.problems
        show_problems(found, getattr(options, "format", "text"), options.verb)
        return 2
    except MissingExtraError as error:
        print(f"pipelineplan: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        # The reader has gone (`| head`); Python would complain once more while closing stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        show_problems([_of_the_machine(error)], getattr(options, "format", "text"), options.verb)
        return 2
    except KeyboardInterrupt:
        print("pipelineplan: interrupted; nothing was written", file=sys.stderr)
        return 130
    except Exception as error:  # noqa: BLE001  (our own fault: said so, with status 3)
        return _our_fault(error)
    return status


def parser_of(wanted: Collection[str]) -> argparse.ArgumentParser:
    """The parser of the whole command line, with the options of the verbs that are `wanted`."""
    parser = Parser(
        prog="pipelineplan",
        description="Tells whether a data-pipeline plan holds, before it is built or switched over.",
        epilog=_START,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"pipelineplan {__version__}")
    verbs = parser.add_subparsers(dest="verb", metavar="COMMAND")
    for verb, says in VERBS.items():
        command = verbs.add_parser(verb, help=says, formatter_class=argparse.RawDescriptionHelpFormatter)
        if verb in wanted:  # only the verb that runs is imported, so that every verb starts fast
            module = import_module(f"pipelineplan.cli.{verb}")
            command.description = module.__doc__
            module.add_options(command)
            explain_the_rest(command)
            command.set_defaults(run=module.run)
    return parser


def _write_what_can_be_written() -> None:
    """A terminal whose encoding has no λ or ± shows a question mark, and the command goes on."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _of_the_machine(error: OSError) -> Problem:
    """A disk that is full, a file that may not be read: nobody's fault here."""
    reason = (error.strerror or str(error) or type(error).__name__).lower()
    return Problem(reason, Position(str(error.filename or "input or output")))


def _our_fault(error: Exception) -> int:
    if os.environ.get("PIPELINEPLAN_TRACEBACK"):
        raise error
    print(
        f"pipelineplan {__version__} failed: {type(error).__name__}: {error}\n"
        "This is a fault of the tool and not of your input. Set PIPELINEPLAN_TRACEBACK=1, run it again and "
        "report what it prints, with the plan if you may share it.",
        file=sys.stderr,
    )
    return 3
