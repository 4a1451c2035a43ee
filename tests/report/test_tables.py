"""Tables of a report that no page shows in full."""

from clothing_classifier.report.evaluation import confusion_table


def test_of_confusions_as_frequent_the_larger_share_of_its_class_comes_first() -> None:
    confusion = [[6, 2, 2], [1, 1, 0], [2, 0, 2]]
    table = confusion_table({"labels": ["Dress", "Skirt", "Top"], "confusion": confusion})
    assert table.rows == [
        ["Top", "Dress", "2", "50%"],
        ["Dress", "Skirt", "2", "20%"],
        ["Dress", "Top", "2", "20%"],
        ["Skirt", "Dress", "1", "50%"],
    ]
