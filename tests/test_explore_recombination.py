"""The grid recombination tab without Gradio."""

import random
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from aevq_hub import explore
from aevq_hub.explore import completion, originals, recombination, snippets, starts
from aevq_hub.explore.cells import History, parsed, spelled
from aevq_hub.explore.recombination import Recombination, edited
from aevq_hub.latent import recombine

GRIDS = list(explore.offers(Recombination.can))


def array(image: Image.Image) -> np.ndarray:
    return np.asarray(image, int)


def reach(model) -> int:
    """The distance in pixels up to which a cell can change the picture, by the gradient of the decoder."""
    z = torch.randn(1, *model.config.latent_shape, generator=torch.Generator().manual_seed(0)).requires_grad_()
    size, side = model.config.image_size, model.config.image_size // model.config.grid_size
    with torch.enable_grad():
        model.decode(z)[..., size // 2, size // 2].sum().backward()
    rows = z.grad.abs().sum((0, 1, 3)).nonzero()
    return int((rows - size // 2 // side).abs().max() + 1) * side


@pytest.fixture(scope="module", params=GRIDS)
def model_name(request):
    return request.param


def test_only_grid_models_are_offered():
    assert {"vqae-fashionmnist", "vqvae-fashionmnist"} <= set(GRIDS)
    with pytest.raises(ValueError, match="unknown model 'center-mnist'; choose from vqae-"):
        Recombination("center-mnist")


def test_edited_cell_changes_only_nearby_pixels(model_name):
    model, settings = explore.exhibit(model_name).model, Recombination(model_name)
    near = recombination.indices(settings)
    # the code least like the cell's: on MNIST many are black, as is the corner
    code = (model.codebook - model.codebook[near[0][0]]).norm(dim=1).argmax().item()
    s = edited(replace(settings, row=1, column=1, code=code), "put")
    apart = np.abs(array(recombination.picture(s)) - array(recombination.direct(s)))
    apart = apart.reshape(*apart.shape[:2], -1).max(2)
    far = reach(model)
    assert far < model.config.image_size, "a decoder this deep has no far pixels"
    assert apart[:8, :8].max() > 5 and apart[far:].max() == apart[:, far:].max() == 0
    change = recombination.change(s)
    assert 0 < change.changed <= far**2 and change.pixels == model.config.image_size**2
    shown = array(change.picture)
    is_coloured = shown[..., 0] != shown[..., 2]  # orange; the rest is grey
    assert is_coloured.sum() == change.changed
    assert (apart[is_coloured] >= 5).all() and recombination.is_edited(s)[0][0]
    assert sum(map(sum, recombination.is_edited(s))) == 1


def test_edited_picture_is_the_decoded_matrix(model_name):
    model = explore.exhibit(model_name).model
    s = edited(edited(Recombination(model_name, code=3, row=2, column=5, to_row=3, to_column=6), "quantise"), "put")
    indices = torch.tensor([recombination.indices(s)])
    assert (indices[0, 1:3, 4:6] == 3).all()
    assert recombination.picture(s).tobytes() == model.to_pil(model.decode_indices(indices))[0].tobytes()
    # every text form of the matrix gives the same cells
    for text in (recombination.matrix_text(s), recombination.csv(s), str(indices[0].tolist())):
        assert replace(s, cells=text).cells == s.cells


def test_unedited_cells_keep_the_encoder_output(model_name):
    model, s = explore.exhibit(model_name).model, Recombination(model_name, "sample:4")
    shown = explore.exhibit(model_name)
    assert recombination.picture(s).tobytes() == model.to_pil(model.render(shown.z[4:5]))[0].tobytes()
    assert recombination.change(s).changed == 0
    is_same = recombination.quantised(s).tobytes() == recombination.direct(s).tobytes()
    assert is_same == (model.config.feed == "codebook")
    quantised = edited(s, "quantise")
    assert recombination.picture(quantised).tobytes() == recombination.quantised(s).tobytes()
    assert recombination.matrix_text(s).count("~") == (0 if is_same else model.config.grid_size**2)
    assert edited(quantised, "reset").cells == ""


def test_rectangle_of_another_picture_is_pasted(model_name):
    model = explore.exhibit(model_name).model
    s = edited(Recombination(model_name, "sample:0", "sample:7", row=4, column=2, to_row=2, to_column=3), "paste")
    z = model.decoder_input(explore.exhibit(model_name).z[[0, 7]])
    wanted = recombine.paste(z[0], z[1], recombine.rectangle((1, 1), (3, 2)))
    assert recombination.picture(s).tobytes() == model.to_pil(model.decode(wanted[None]))[0].tobytes()
    assert edited(s, "keep").cells == ""


def test_actions_match_the_latent_functions(model_name):
    model = explore.exhibit(model_name).model
    size, book = model.config.grid_size, model.codebook
    s = Recombination(model_name, code=5, row=2, column=3, share=0.5, seed=9)
    z = model.decoder_input(explore.exhibit(model_name).z[:1])[0]
    wanted = {
        "random": book[recombine.random_indices(1, size, len(book), torch.Generator().manual_seed(9))[0]].movedim(2, 0),
        "broadcast": recombine.broadcast(5, size, book),
        "zeros": recombine.among_zeros(5, (1, 2), size, book),
        "share": recombine.replace_share(z, 0.5, book, torch.Generator().manual_seed(9)),
    }
    for action, grid in wanted.items():
        after = edited(s, action)
        assert torch.equal(recombination._grid(after), grid), action
        assert after.seed == s.seed + (action in ("random", "share"))  # the next random action differs
    assert edited(edited(s, "share"), "share").cells != edited(s, "share").cells
    with pytest.raises(ValueError, match="unknown action 'shuffle'; choose from put, paste"):
        edited(s, "shuffle")


def test_undo_restores_the_picture_exactly():
    s = Recombination("vqae-fashionmnist")
    history, pictures, rng = History(), [recombination.picture(s).tobytes()], random.Random(0)
    for action in ("put", "share", "paste", "random", "quantise", "zeros"):
        s = edited(replace(s, code=rng.randrange(100), row=rng.randint(1, 7), column=rng.randint(1, 7)), action)
        history = history.did(s.cells)
        pictures.append(recombination.picture(s).tobytes())
    assert history.did(s.cells) is history and len(history.past) == 6 - (pictures[4] == pictures[5])
    for wanted in [p for p, q in zip(pictures, pictures[1:], strict=False) if p != q][::-1]:
        history = history.undone()
        assert recombination.picture(replace(s, cells=history.now)).tobytes() == wanted
    assert history.undone() is history and history.now == ""
    while history.future:
        history = history.redone()
    assert recombination.picture(replace(s, cells=history.now)).tobytes() == pictures[-1]
    assert history.undone().did("1").future == ()


ROW = "1 2 3 4 5 6 7"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (";".join([ROW] * 6), "The matrix has 6 rows; give 7"),
        (";".join([ROW] * 8), "The matrix has 8 rows; give 7"),
        (";".join([ROW] * 6 + ["1 2 3"]), "Row 7 of the matrix has 3 entries; give 7."),
        (";".join([ROW] * 2 + ["1"] + [ROW] * 4), "Row 3 of the matrix has 1 entry; give 7."),
        ("\n".join([ROW] * 3 + ["", *[ROW] * 3]), "Row 4 of the matrix has 0 entries; give 7."),
        (
            ";".join([ROW] * 6 + ["1 2 3 4 5 6 100"]),
            "Row 7, column 7 of the matrix is '100'; give a whole number from 0",
        ),
        (";".join([ROW] * 6 + ["1 -2 3 4 5 6 7"]), "Row 7, column 2 of the matrix is '-2'; give a whole number from 0"),
        (";".join(["1 2 3 4 5 6 7.5"] + [ROW] * 6), "Row 1, column 7 of the matrix is '7.5'; give a whole number"),
        ("no matrix at all", "The matrix has 1 row; give 7"),
        ("8,1=3", "row is 8; give a whole number from 1 to 7"),
        ("1,0=3", "column is 0; give a whole number from 1 to 7"),
        ("1,1=300", "Row 1, column 1 is '300'; give a whole number from 0 to 99"),
        ("1;1=3", "'1' is no edit; write row,column=code"),
        ("9" * 60_000, "give a matrix as text, 7 rows of 7"),
        (None, "cells is None; give a matrix as text"),
        (17, "cells is 17; give a matrix as text"),
    ],
)
def test_invalid_matrix_error_names_the_place(text, message):
    with pytest.raises(ValueError) as error:
        Recombination("vqae-fashionmnist", cells=text)
    assert message in str(error.value) and len(str(error.value)) < 200 and ". " not in str(error.value)


def test_matrix_formats_are_equivalent():
    s = Recombination("vqae-fashionmnist", cells="7,1=4; 2,3=17")
    assert parsed(s.cells, 7, 100)[1][2] == 17 and parsed(s.cells, 7, 100)[6][0] == 4
    assert s.cells == replace(s, cells=recombination.matrix_text(s)).cells  # ~25 means the picture's own vector
    lines = "\r\n".join([ROW] * 7) + "\n"
    for text in (lines, lines.replace(" ", ","), lines.replace(" ", "\t"), f"[{', '.join([f'[{ROW}]'] * 7)}]"):
        assert replace(s, cells=text).cells == ";".join([ROW] * 7)
    assert spelled(parsed(" ", 7, 100)) == "" == replace(s, cells="~ " * 6 + "~" + (";" + "~ " * 6 + "~") * 6).cells


@pytest.mark.parametrize(
    "settings", [{"code": 100}, {"code": -1}, {"row": 8}, {"to_column": 9}, {"share": 1.5}, {"share": None},
                 {"seed": -1}, {"seed": "1"}, {"second": "sample:x"}]
)  # fmt: skip
def test_invalid_setting_is_refused_with_one_sentence(settings):
    with pytest.raises(ValueError, match=rf"{next(iter(settings))} is .*; give"):
        Recombination("vqae-fashionmnist", **settings)


def test_link_restores_the_cells():
    s = edited(Recombination("vqvae-fashionmnist", "random:3", row=1, column=1, to_row=2, code=7), "put")
    link = {name: str(getattr(s, name)) for name in s.names()}
    assert Recombination.from_link(link) == (s, [])
    found, problems = Recombination.from_link({**link, "cells": "1 2 3"})
    assert found.cells == "" and problems == ["The matrix has 1 row; give 7, on lines or with ; between them."]


@pytest.mark.parametrize("name", GRIDS)
@pytest.mark.parametrize("actions", [[], ["put"], ["paste"], ["zeros"], ["random"], ["share", "paste", "put"]])
def test_python_code_reproduces_the_picture_exactly(name, actions):
    s = Recombination(name, "sample:2", "random:5", row=2, column=2, to_row=4, to_column=3, code=11)
    for action in actions:
        s = edited(s, action)
        s = replace(s, row=s.row + 1)
    scope = {}
    exec(snippets.recombination(s), scope)
    assert scope["picture"].tobytes() == recombination.picture(s).tobytes()


def test_palette_has_every_code_once_sorted_by_use(model_name):
    shown, palette = explore.exhibit(model_name), recombination.palette(model_name)
    assert sorted(palette.codes) == list(range(shown.model.config.num_codes))
    assert palette.shares == sorted(palette.shares, reverse=True) and sum(palette.shares) == pytest.approx(1, abs=0.01)
    side = palette.sprite.width // palette.columns
    code = palette.codes[palette.columns + 1]  # the second code of the second row
    tile = palette.sprite.crop((side, side, 2 * side, 2 * side))
    size = shown.model.config.grid_size
    alone = shown.model.to_pil(shown.model.decode_indices(torch.full((1, size, size), code)))[0]
    assert np.abs(array(tile) - array(alone.resize((side, side), Image.Resampling.BOX).convert("RGB"))).max() <= 1


def test_original_is_available_only_if_shareable():
    white = starts.bring_data(
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGP6DwABBQECz6AuzQAAAABJRU5ErkJggg=="
    )
    assert (
        originals.original("center-celeba", "sample:0") is None and originals.original("ae-mnist", "random:0") is None
    )
    assert originals.original("center-celeba", white).shape == (3, 64, 64)
    x = originals.original("vqae-fashionmnist", "sample:3")
    shown = explore.exhibit("vqae-fashionmnist")
    assert torch.allclose(shown.model.encode(x[None])[0], starts.latent(shown, "sample:3"), atol=1e-4)
    with pytest.raises(ValueError, match="There is no sample:20; choose from sample:0 to sample:19"):
        originals.original("ae-mnist", "sample:20")


def test_blank_and_drawn_replacements(generator):
    z = torch.randn(2, 4, 3, 3, generator=generator)
    blank = recombine.blank(z, [(0, 1), (2, 2)])
    assert (blank == 0).any(1).sum() == 4 and torch.equal(blank[:, :, 1], z[:, :, 1])
    with pytest.raises(ValueError, match="outside the grid of 3 × 3 cells"):
        recombine.blank(z, [(3, 0)])
    cells, codes = recombine.drawn_replacements(0.5, 4, 5, 9, generator)
    assert len(set(cells)) == len(codes) == 10 and max(codes) < 9


@pytest.mark.parametrize("action", ["fill", "fill_rest"])
def test_filled_cells_are_the_priors_and_the_others_stay(model_name, action):
    s = Recombination(model_name, row=2, column=2, to_row=4, to_column=6, seed=5)
    model, near, done = explore.exhibit(model_name).model, recombination.indices(s), edited(s, action)
    free = torch.zeros(s.config.grid_size, s.config.grid_size, dtype=torch.bool)
    free[1:4, 1:6] = True
    free = free if action == "fill" else ~free
    wanted = model.complete(torch.tensor([near]), ~free, seed=5)[0]
    for (r, row), is_free in zip(enumerate(done.matrix), free.tolist(), strict=True):
        assert [cell for cell, new in zip(row, is_free, strict=True) if not new] == ["~"] * is_free.count(False)
        assert [cell for cell, new in zip(row, is_free, strict=True) if new] == wanted[r, free[r]].tolist()
    assert done.seed == 5 + recombination.PROPOSALS
    proposed = completion.proposals(s, action)
    assert [one.seed for one in proposed] == [5, 6, 7, 8] and proposed[0].settings == done
    assert len({one.settings.cells for one in proposed}) > 1
    last = completion.proposals(replace(s, seed=starts.MAX_SEED - 1), action)
    assert [one.seed for one in last] == [starts.MAX_SEED - 1, 0, 1, 2]
    # a proposal that was taken does not change the others
    assert completion.proposals(replace(done, seed=5), action)[1].settings.cells == proposed[1].settings.cells
    assert array(proposed[2].picture).tolist() == array(recombination.picture(proposed[2].settings)).tolist()


def test_seam_is_the_border_of_what_was_pasted(model_name):
    s = Recombination(model_name, row=1, column=1, to_row=3, to_column=3, seed=1)
    with pytest.raises(ValueError, match="Nothing is pasted from the second picture, so there is no seam to fill"):
        edited(s, "seam")
    done = edited(edited(s, "paste"), "seam")
    for row, cells in enumerate(done.matrix):
        for column, cell in enumerate(cells):
            if max(row, column) < 2:
                assert cell == "@"
            elif max(row, column) < 4:
                assert isinstance(cell, int)  # on either side of the border between the third and the fourth
            else:
                assert cell == "~"
    assert len(completion.proposals(edited(s, "paste"), "seam")) == recombination.PROPOSALS


def test_whole_grid_is_drawn_as_the_model_samples_it(model_name):
    s = edited(Recombination(model_name, seed=3), "draw")
    model = explore.exhibit(model_name).model
    sampled = model.grids.sample_indices(1, torch.Generator().manual_seed(3))
    assert s.matrix == sampled[0].tolist() and s.seed == 4


def test_unusual_cells_are_those_that_do_not_fit(model_name):
    s = Recombination(model_name, row=1, column=1)
    before = completion.surprise(s)
    model = explore.exhibit(model_name).model
    rare = model.grids.probability[0, 0].argmin().item()  # never there, in most models
    put = edited(replace(s, code=rare), "put")
    after = completion.surprise(put)
    assert after.bits[0][0] > before.bits[0][0]
    assert after.bits == model.surprise(recombination.grid_indices(put)[None])[0].tolist()
    red, _, blue = array(after.picture)[0, 0]
    assert red > blue  # orange
