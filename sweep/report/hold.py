"""Does it hold: what became of the finalists, as HTML."""

from html import escape

from sweep.report.markup import place, radios, table
from sweep.report.tables import Table
from sweep.report.words import counted
from sweep.study.table import StudyRecord

TITLE = "Does it hold?"
CURVES = "Training, each seed and their mean"
CONFUSION = "Test clips, said and heard, all seeds together"
WORST = "Test clips heard wrong, and by how many seeds"


def verdict(record: StudyRecord, content: Table) -> str:
    """Return what became of the finalists, or how to have some."""
    if not record.finalists:
        command = f"sweep finalists {record.argument}"
        return (
            f"<p>Nothing was trained again yet. <code>{escape(command)}</code> trains the best of "
            "the front from other seeds and then, for the first time, reads the test clips.</p>"
        )
    held = len(record.confirmed())
    words = (
        f"{held} of {counted(len(record.finalists), 'finalist')} "
        f"{'holds' if held == 1 else 'hold'}: the means keep every limit."
        if held
        else "None of the finalists holds; export with care, search longer, or ease a limit."
    )
    folds = [one.validated.clips for one in record.finalists if one.validated]
    validated = (
        f" Cross-validated: what it hears of all {max(folds)} clips for training and validation, "
        "each by a network trained without its fold; its interval is that of Student's t over "
        "the folds, as other speakers differ."
        if folds
        else ""
    )
    return (
        f"<p>{words}</p>{table(content, numbers=True)}"
        '<p class="quiet">Mean and standard deviation over the seeds, and the 95 % Wilson interval '
        "of the mean. Chance: that the true accuracy meets its limit. Luck: by how much the search "
        f"had made it look better.{validated}</p>"
    )


def places(record: StudyRecord) -> str:
    """Return where a chosen finalist is looked at closely, or nothing where there are none."""
    if not record.finalists:
        return ""
    numbers = [str(one.trial) for one in record.finalists]
    return (
        '<div class="tools"><fieldset class="switch"><legend>Finalist: trial</legend>'
        f'{radios("finalist", numbers, numbers[0])}</fieldset></div><div class="pair">'
        f"<figure><figcaption>{CURVES}</figcaption>{place('curves', CURVES, True)}</figure>"
        f"<figure><figcaption>{CONFUSION}</figcaption>{place('confusion', CONFUSION, True)}"
        f'</figure></div><h3>{WORST}</h3><ol id="worst" class="clips"></ol>'
    )
