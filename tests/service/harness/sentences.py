"""Tables of sentences of a standard: each row says which one it holds us to."""

import re

import pytest


class Sentences:
    """Use as a decorator, one row a sentence; test() runs them all.

        rfc = Sentences("RFC 7009")

        @rfc("2.2", "The content of the response body is ignored by the client")
        def no_body(service):
            ...

        test_sentence = rfc.test()
    """

    def __init__(self, document):
        self.document = document
        self.rows = []

    def __call__(self, section, sentence):
        def add(check):
            self.rows.append((section, sentence, check))
            return check
        return add

    def test(self):
        names = [f"{section} {check.__name__}"
                 for section, _, check in self.rows]
        assert len(set(names)) == len(names), "two rows of one name"
        names = [re.sub(r"[^\w.]+", "-", name) for name in names]

        @pytest.mark.parametrize("row", self.rows, ids=names)
        def test_sentence(row, service):
            section, sentence, check = row
            try:
                check(service)
            except AssertionError as broken:
                raise AssertionError(
                    f"{self.document}, {section}: {sentence}\n{broken}"
                ) from broken
        return test_sentence
