"""What probes showed, as text: what fails first, what passed last."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from cascade.core.layout import quoted
from cascade.core.probed import Probed
from cascade.core.probes import ProbeKind, ProbeRun, Verdict
from cascade.core.words import counted, listed
from cascade.render.paragraphs import INDENT, columns, padded, painted, separated, wrapped
from cascade.render.sentences import findings_in_sentences
from cascade.render.wording import database_at, printable

_PAGE_KINDS = (ProbeKind.PAGE, ProbeKind.OBJECT, ProbeKind.MAKE_USER)


def render_probes(probed: Probed, *, verbose: bool = False, colour: bool = False, width: int = 100) -> str:
    """Each probe that fails with its status, time, queries, drift and line; what could not be proved; what passed.

    Of a prediction the sequence of failures of each page, and the pages that each drifted object breaks. ``verbose``
    lists what is else summed up, and what the application's own errors say.
    """
    view = _View(verbose, width)
    blocks = (
        _header(probed, view),
        *([_cascades(probed, view), _radius(probed, view), _not_met(probed, view)] if probed.predicted else []),
        *(_failed(run, probed, view) for run in probed.of(Verdict.FAILED)),
        [line for run in probed.of(Verdict.NOT_PROVABLE) for line in _unproved(run, view)],
        _passed(probed, view),
        _left_behind(probed, view),
        [_summary(probed)],
    )
    lines = list(separated(blocks))
    return "".join(f"{painted(line) if colour else line}\n" for line in lines)


def render_before_and_after(before: Probed, after: Probed, *, colour: bool = False, width: int = 100) -> str:
    """What a repair did to the probes: how many pass now, and which fail that passed before."""
    view = _View(verbose=False, width=width)
    texts = [f"{_passing(before)} before, {_passing(after)} afterwards."]
    now = {str(run.probe): run for run in after.runs}
    for run in before.of(Verdict.FAILED):
        later = now.get(str(run.probe))
        if later is not None:
            texts.append(f"{run.probe}: failed, and now {_then(later)}{_because(later)}")
    broken = after.broken_since(before)
    texts += [f"{run.probe}: passed, and now fails{_because(run)}" for run in broken]
    lines = view.said("PROBES", *texts)
    if broken:
        lines += view.said("BROKEN", f"{counted(len(broken), 'probe')} by the steps.")
    return "".join(f"{painted(line) if colour else line}\n" for line in lines)


def _passing(probed: Probed) -> str:
    return f"{len(probed.of(Verdict.PASSED))} of {counted(len(probed.runs), 'probe')} passed"


def _because(run: ProbeRun) -> str:
    if run.verdict is Verdict.PASSED:
        return ""
    return f" ({', '.join(drift.id for drift in run.drifts) or run.reason})"


@dataclass(frozen=True, slots=True)
class _View:
    """How it is to be shown."""

    verbose: bool
    width: int

    def said(self, label: str, *texts: str) -> list[str]:
        """Paragraphs with a label at the left of the first."""
        lines = [line for text in texts for line in wrapped(printable(text), self.width, first=INDENT, hang=INDENT)]
        if not lines:
            return []
        start = padded(label, INDENT) if len(label) < INDENT else f"{label} "
        return [start + lines[0][INDENT:], *lines[1:]]


def _header(probed: Probed, view: _View) -> list[str]:
    observed, placement = probed.answer.observed, probed.answer.placement
    path = ", ".join(map(quoted, placement.path.effective))
    if probed.role == placement.role:
        who = f"Pages ran as {quoted(probed.role)}, search_path {path}."
    else:
        who = (
            f"Pages ran as {quoted(probed.role)}, who may not become {quoted(placement.role)}, "
            f"with the search_path of the latter, {path}: rights that it lacks do not show."
        )
    where = "a clone of" if probed.on_clone else ""
    texts = [
        f"{where} {database_at(observed.database, probed.answer.host)}, "
        f"PostgreSQL {observed.server.short_version}. Each probe in a transaction of its own that could not commit: "
        "all was rolled back.".strip(),
        who,
    ]
    if not any(run.probe.is_page for run in probed.runs):
        texts.append("No page was asked: the settings declare none. cascade probe --discover lists what there is.")
    if probed.on_clone:
        texts.append("The clone has no rows: what pages do with rows does not show.")
    return [line for text in texts for line in wrapped(printable(text.strip()), view.width, hang=2)]


def _cascades(probed: Probed, view: _View) -> list[str]:
    """For each page what fails, first first, and what it answers when all of it is repaired."""
    names = {chain.probe: chain.objects for chain in probed.answer.plan.chains if chain.source == "exact"}
    texts = []
    for run in probed.runs:
        objects = names.get(str(run.probe), ())
        then = _then(run)
        if run.probe.is_page or objects:
            texts.append(f"{run.probe}: {' -> '.join(objects)}; then {then}" if objects else f"{run.probe}: {then}")
    intro = "measured: each page ran on, what it failed at repaired there and then by the plan's steps"
    return view.said("CASCADE", *texts, intro)


def _then(run: ProbeRun) -> str:
    if run.verdict is Verdict.PASSED:
        return "it works" if run.status is None else run.note or str(run.status)
    return str(run.verdict.value)


def _radius(probed: Probed, view: _View) -> list[str]:
    """For each drifted object the pages that it breaks."""
    texts = [f"{name}: {listed(probes, 99)}" for name, probes in probed.breaks.items() if probes]
    return view.said("BREAKS", *texts)


def _not_met(probed: Probed, view: _View) -> list[str]:
    unmet = [name for name, probes in probed.breaks.items() if not probes]
    lines = view.said("UNMET", f"No page here touches {listed(unmet, 99)}.") if unmet else []
    skipped = [step.id for step in probed.not_needed]
    if skipped:
        most = 99 if view.verbose else 3
        depends = "no page depends on it" if len(skipped) == 1 else "no page depends on them"
        lines += view.said("" if lines else "UNMET", f"Not run, for {depends}: {listed(skipped, most)}.")
    return lines


def _failed(run: ProbeRun, probed: Probed, view: _View) -> list[str]:
    texts = list(_why(run, probed, view))
    return [f"FAILED   {_figures(run)}", *(line for text in texts for line in view.said("", text))]


def _why(run: ProbeRun, probed: Probed, view: _View) -> Iterator[str]:
    """The drifts that it ran into with their lines; else in words why it failed."""
    seen = set()
    for found in run.found:
        if found.drift is not None and found.drift not in seen:
            seen.add(found.drift)
            sentence = " ".join(findings_in_sentences([found.drift], probed.answer, most=1)[:1])
            if run.swallowed and len(seen) == 1:
                sentence = f"answers {run.status}, but swallowed an error: {sentence}"
            yield f"{sentence} [{found.drift.id}]"
            if found.failure.place:
                yield f"at {found.failure.place}"
    if not seen:
        yield f"{run.reason}; this is no drift that cascade knows"
        if run.place:
            yield f"at {run.place}"
    if run.said and view.verbose:
        yield run.said
    elif run.said and not seen and run.said not in run.reason:
        yield "-v shows what it says, which may hold values of rows"


def _figures(run: ProbeRun) -> str:
    status = f"{printable(run.note) or run.status}  " if run.status is not None else ""
    name = padded(printable(str(run.probe)), 50)
    return f"{name}  {status}{run.milliseconds:,.0f} ms  {counted(run.queries, 'query', 'queries')}"


def _unproved(run: ProbeRun, view: _View) -> list[str]:
    return view.said("UNPROVED", f"{run.probe}: not provable here: {run.reason}.")


def _passed(probed: Probed, view: _View) -> list[str]:
    passed = probed.of(Verdict.PASSED)
    if probed.predicted or not passed:
        return []
    shown = [run for run in passed if view.verbose or run.probe.kind in _PAGE_KINDS]
    models = len(passed) - len(shown)
    lines = [f"passed   {_figures(run)}" for run in shown]
    if models:
        lines += view.said("passed", f"and {counted(models, 'model')}, all columns of each; -v lists them")
    return lines


def _left_behind(probed: Probed, view: _View) -> list[str]:
    """What would have run after COMMIT and did not; what went on though all else was rolled back."""
    callbacks = dict.fromkeys(name for run in probed.runs for name in run.callbacks)
    mails = sum(run.mails for run in probed.runs)
    texts = []
    if callbacks:
        texts.append(f"Not run, for nothing was committed: {listed(list(callbacks), 99 if view.verbose else 4)}.")
    if mails:
        texts.append(f"Not sent: {counted(mails, 'mail')}.")
    if probed.advanced:
        names = listed(probed.advanced, 99 if view.verbose else 4)
        texts.append(f"Sequences that went on, by probes or by others; no transaction takes that back: {names}.")
    return view.said("ASIDE", *texts)


def _summary(probed: Probed) -> str:
    failed, unproved = len(probed.of(Verdict.FAILED)), len(probed.of(Verdict.NOT_PROVABLE))
    total = counted(len(probed.runs), "probe")
    rest = f"; {unproved} not provable here" if unproved else ""
    if probed.predicted:
        broken = sum(run.fails for run in probed.runs)
        still = f"; {failed} would fail even then" if failed else ""
        return f"Until the plan is run {broken} of {total} will fail{still}{rest}."
    if failed:
        return f"{failed} of {total} failed{rest}."
    return f"{len(probed.of(Verdict.PASSED))} of {total} passed{rest}."


def render_discovered(probes: Sequence[object], left_out: Iterable[tuple[str, str]], *, width: int = 100) -> str:
    """The pages that could be asked for, and the patterns that are left out, each with the reason."""
    lines = [f"  {printable(str(probe))}" for probe in probes]
    others = [(printable(pattern), reason) for pattern, reason in left_out]
    longest = max((columns(pattern) for pattern, _ in others), default=0)
    room = min(longest, width // 2)
    rest = [f"  {padded(pattern, room)}  {reason}" for pattern, reason in others]
    head = f"{counted(len(probes), 'page')} that can be asked for; --discover --run does it:"
    blocks = ([head, *lines], [f"{counted(len(others), 'pattern')} left out:", *rest] if others else [])
    return "".join(f"{line}\n" for line in separated(blocks))
