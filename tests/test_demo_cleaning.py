"""Old files are deleted, however busy the server is."""

from types import SimpleNamespace

from gradio import route_utils

from aevq_hub.demo.shared.cleaning import keep_cleaning


class Growing(set):
    """A set to which another thread adds a file while it is iterated over the first time."""

    def __iter__(self):
        for i, file in enumerate(set(self)):
            if i == 1 and len(self) < 4:
                self.add("added")
                raise RuntimeError("Set changed size during iteration")
            yield file


def test_a_file_that_is_added_meanwhile_does_not_end_the_deletion(monkeypatch, tmp_path):
    monkeypatch.setattr(route_utils, "delete_files_created_by_app", route_utils.delete_files_created_by_app)
    files = [tmp_path / name for name in "abc"]
    for file in files:
        file.write_text("old")
    keep_cleaning()
    keep_cleaning()  # as when the page is launched twice
    blocks = SimpleNamespace(blocks={}, temp_file_sets=[Growing(map(str, files))])
    route_utils.delete_files_created_by_app(blocks, None)
    assert not any(file.exists() for file in files)
