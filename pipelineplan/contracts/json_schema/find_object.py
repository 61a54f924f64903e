"""An object: which properties are there, what each holds, how many there are, how they are named.

    required a, a: int, additional: text, at least 2     ->  {"a": 0, "a0": ""}

Keys that no keyword names are alike as far as the same patterns find them: one of each kind stands
for all of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from typing import TYPE_CHECKING

from pipelineplan.contracts.json_schema.accepts import accepts, every, found_in, undeclared
from pipelineplan.contracts.json_schema.formula import And, Formula, Leaf, negation
from pipelineplan.contracts.json_schema.question import Answer, Case, Found, Outcome, Question
from pipelineplan.contracts.json_schema.values import value_of

if TYPE_CHECKING:
    from pipelineplan.contracts.json_schema.search import Search

MOST_PATTERNS = 4
MOST_KEYS = 20_000


def find(case: Case, search: Search) -> Answer:
    """An object that the statements of `case` allow."""
    return _Object(case, search).find()


@dataclass
class _Object:
    case: Case
    search: Search
    extra: dict[str, set[Formula]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        case = self.case
        self.required = {leaf.detail for leaf in case.about("required") if leaf.sign}
        self.required |= {leaf.detail for leaf in case.about("absent") if not leaf.sign}
        self.absent = {leaf.detail for leaf in case.about("absent") if leaf.sign}
        self.absent |= {leaf.detail for leaf in case.about("required") if not leaf.sign}
        lows = [leaf.detail if leaf.sign else 0 for leaf in case.about("minProperties")]
        lows += [leaf.detail + 1 for leaf in case.about("maxProperties") if not leaf.sign]
        highs = [leaf.detail for leaf in case.about("maxProperties") if leaf.sign]
        highs += [leaf.detail - 1 for leaf in case.about("minProperties") if not leaf.sign]
        self.low, self.high = max(lows, default=0), min(highs, default=MOST_KEYS)
        self.props: dict[str, list[Formula]] = {}
        for leaf in case.leaves:
            if leaf.word == "prop" and leaf.sign:
                self.props.setdefault(leaf.detail[0], []).append(leaf.detail[1])
        self.patterned = [leaf.detail for leaf in case.about("patterned") if leaf.sign]
        self.extras = [leaf.detail for leaf in case.about("extra") if leaf.sign]
        self.names = [leaf.detail for leaf in case.about("names") if leaf.sign]
        self.declared = [leaf.detail for leaf in case.about("declared") if leaf.sign and self.search.closed]

    def find(self) -> Answer:
        if self.required & self.absent or len(self.required) > self.high or self.low > self.high:
            return Outcome.NOTHING
        bases = {name: self.base(name) for name in sorted(self.required)}
        answers = {name: self._at(name, base) for name, base in bases.items()}
        if Outcome.NOTHING in answers.values():
            return Outcome.NOTHING
        wanted = self._wanted()
        for leaf, inner in wanted:
            answer = self._settle(leaf, inner, alone=len(wanted) == 1)
            if answer is not None:
                return answer
        return self._filled()

    def base(self, name: str) -> Question | None:
        """What the value of the property `name` has to meet; None when that is not decided."""
        found = set(self.props.get(name, ()))
        unsure = False
        for pattern, inner in self.patterned:
            applies = found_in(pattern, name)
            unsure = unsure or applies is None
            found |= {inner} if applies else set()
        for names, patterns, inner in self.extras:
            applies = undeclared(name, names, patterns)
            unsure = unsure or applies is None
            found |= {inner} if applies else set()
        return None if unsure else frozenset(found)

    def _at(self, name: str, base: Question | None, more: frozenset[Formula] = frozenset()) -> Answer:
        """A value for the property `name`, if it may be there."""
        if name in self.absent or self._may_be_named(name) is False:
            return Outcome.NOTHING
        if base is None or self._may_be_named(name) is None:
            return Outcome.UNDECIDED
        return self.search.find(base | more)

    def _may_be_named(self, name: str) -> bool | None:
        if self.declared and all(undeclared(name, names, patterns) for names, patterns in self.declared):
            return False
        return every(accepts(one, name, self.search.nodes) for one in self.names)

    def _wanted(self) -> list[tuple[Leaf, Formula | None]]:
        """What some property has to breach: its schema, or with None the rule for names."""
        found: list[tuple[Leaf, Formula | None]] = []
        for leaf in self.case.about("prop", "patterned", "extra", "names"):
            if not leaf.sign:
                inner = leaf.detail if leaf.word == "names" else leaf.detail[-1]
                found.append((leaf, None if leaf.word == "names" else negation(inner)))
        return found

    def _settle(self, leaf: Leaf, inner: Formula | None, *, alone: bool) -> Answer | None:
        """Choose the property that breaches `leaf`; an answer when none can or none is found."""
        more = frozenset() if inner is None else frozenset({inner})
        decided = True
        for name in self._candidates(leaf):
            if name is None:
                decided = False
                continue
            room = name in self.required or name in self.extra or len(self._keys() | {name}) <= self.high
            answer = self._at(name, self.base(name), more | frozenset(self.extra.get(name, ())))
            if isinstance(answer, Found) and room:
                self.extra.setdefault(name, set()).update(more)
                return None
            crowded = isinstance(answer, Found) and not alone
            shared = answer is Outcome.NOTHING and bool(self.extra.get(name))
            decided = decided and answer is not Outcome.UNDECIDED and not crowded and not shared
        return Outcome.NOTHING if decided else Outcome.UNDECIDED

    def _keys(self) -> set[str]:
        return self.required | set(self.extra)

    def _candidates(self, leaf: Leaf) -> Iterator[str | None]:
        """The properties that `leaf` is about; None for a kind of them that is not decided."""
        if leaf.word == "prop":
            yield leaf.detail[0]
            return
        for name in [*sorted(self._named(), key=self._nearest), *self._fresh(set())]:
            applies = None if name is None else self._applies(leaf, name)
            if applies is None or applies:
                yield name if applies else None

    def _nearest(self, name: str) -> tuple[bool, str]:
        return (name not in self._keys(), name)

    def _applies(self, leaf: Leaf, name: str) -> bool | None:
        match leaf.word:
            case "patterned":
                return found_in(leaf.detail[0], name)
            case "extra":
                return undeclared(name, leaf.detail[0], leaf.detail[1])
        answer = accepts(leaf.detail, name, self.search.nodes)
        return None if answer is None else not answer

    def _named(self) -> set[str]:
        """Every key that a statement of the case names."""
        found = set(self.required)
        for leaf in self.case.leaves:
            if leaf.word == "prop":
                found.add(leaf.detail[0])
            elif leaf.word in {"extra", "declared"}:
                found |= leaf.detail[0]
        return found

    def _patterns(self) -> list[str]:
        found: set[str] = set()
        for leaf in self.case.leaves:
            if leaf.word == "patterned":
                found.add(leaf.detail[0])
            elif leaf.word in {"extra", "declared"}:
                found |= leaf.detail[1]
        return sorted(found)

    def _fresh(self, taken: set[str]) -> Iterator[str | None]:
        """A key beside the named and `taken` ones for each set of patterns that may find it."""
        patterns = self._patterns()
        names = [leaf for leaf in self.case.about("names") if not leaf.sign]
        if len(patterns) > MOST_PATTERNS or len(names) > 1:
            yield None
            return
        texts = frozenset(value_of(name) for name in self._named() | taken)
        fixed: set[Formula] = {Leaf(True, "type", frozenset({"string"})), *self.names}  # noqa: FBT003
        fixed |= {Leaf(False, "among", texts)} if texts else set()  # noqa: FBT003
        sides: list[list[Formula]] = [
            [Leaf(sign, "pattern", one) for sign in (False, True)] for one in patterns
        ]
        sides += [[negation(leaf.detail), And(())] for leaf in names]
        for chosen in product(*sides):
            answer = self.search.find(frozenset({*fixed, *chosen}))
            if isinstance(answer, Found):
                yield answer.value
            elif answer is Outcome.UNDECIDED:
                yield None

    def _filled(self) -> Answer:
        """The object with a value for every key that is there, and more keys up to the least number."""
        made: dict[str, object] = {}
        for name in sorted(self._keys()):
            answer = self._at(name, self.base(name), frozenset(self.extra.get(name, ())))
            if not isinstance(answer, Found):
                return Outcome.UNDECIDED
            made[name] = answer.value
        decided = not self.extra
        while len(made) < self.low or self._excluded(made):
            added = self._one_more(made)
            if not isinstance(added, str):
                crowded = len(made) >= self.low
                return (
                    Outcome.NOTHING
                    if decided and added is Outcome.NOTHING and not crowded
                    else Outcome.UNDECIDED
                )
        return Found(made) if len(made) <= self.high else Outcome.UNDECIDED

    def _excluded(self, made: dict[str, object]) -> bool:
        key = value_of(made).key
        return any(one.key == key for leaf in self.case.about("among") for one in leaf.detail)

    def _one_more(self, made: dict[str, object]) -> str | Outcome:
        """Put one more property into `made`: its name, or why there is none."""
        self.search.spend()
        decided = True
        for name in [*sorted(self._named() - set(made)), *self._fresh(set(made))]:
            answer = Outcome.UNDECIDED if name is None else self._at(name, self.base(name))
            if isinstance(answer, Found) and name is not None:
                made[name] = answer.value
                return name
            decided = decided and answer is Outcome.NOTHING
        return Outcome.NOTHING if decided else Outcome.UNDECIDED
