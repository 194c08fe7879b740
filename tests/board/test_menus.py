"""The words of menus, and the list of methods by theme."""

from dashboards.board.language import codes, language
from dashboards.board.method import Methods, Metric, entries
from dashboards.board.sheet import Where
from dashboards.board.views.catalogue import views
from dashboards.settings import Settings

HERE = Where("99001", "Valbrume", "Europe/Paris", frozenset({"99001"}))


def test_every_view_has_a_word_of_its_own_of_at_most_14_letters_for_the_menu_of_each_language():
    for code in codes():
        words = [language(code).say(view.short) for view in views(Settings()).values()]

        assert len(set(words)) == len(words) == 7
        assert max(map(len, words)) <= 14, words


def metric(name: str, domain: str, label: str, territory: str = "99001") -> Metric:
    return Metric(name, domain, "gauge", "1", label, label, label, 3600, territory, 1, 1)


def test_methods_stand_by_theme_then_by_name_and_accents_do_not_move_a_name_to_the_end():
    rows = (
        metric("zinc", "energy", "Zinc"), metric("lit", "energy", "Éclairage"),
        metric("tea", "water", "Tea"), metric("bikes", "mobility", "Vélos"),
        metric("no2", "air", "NO₂"), metric("far", "air", "Far", "99002"),
    )  # fmt: skip
    known = Methods({row.metric: (row,) for row in rows})

    found = entries(known, HERE, language("fr"))

    assert [(theme, [line.label for line in lines]) for theme, lines in found] == [
        ("L’air", ["NO₂"]), ("Déplacements", ["Vélos"]), ("Énergie", ["Éclairage", "Zinc"]),
        ("Autres", ["Tea"]),
    ]  # fmt: skip
