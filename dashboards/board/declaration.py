"""The declaration of accessibility, a draft until people have audited the board."""

from __future__ import annotations

from dashboards.board.language import Language
from dashboards.board.sheet import Sentence, Sheet


def declaration(language: Language) -> Sheet:
    """What decree 2019-768 and directive (EU) 2016/2102 want said, as far as it is known."""
    say = language.say
    lines = (
        say("These pages are made to be used by everybody: by keyboard, with a screen reader, "
            "enlarged, without colours and without a script."),
        say("They are partially conformant with RGAA 4.1 and EN 301 549: machines have checked "
            "every page in every language; no audit by people has been made yet."),
        say("Every drawing has a sentence that says the same, and a table with its values."),
        say("On screens in halls nothing can be operated; the code in the corner opens the same "
            "page on a telephone."),
        say("If you cannot reach something, write to the contact below: you will get it in another "
            "form. If nobody answers, you may turn to the ombudsman (in France: le Défenseur des "
            "droits)."),
    )  # fmt: skip
    return Sheet(
        view="accessibility", title=say("Accessibility"),
        sentences=tuple(Sentence(f"line{number}", line) for number, line in enumerate(lines)),
    )  # fmt: skip
