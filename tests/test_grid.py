"""The tab Grid without Gradio: cells of a picture's grid are replaced."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from code_runs import picture_of
from image_files import file_of
from PIL import Image

from aevq_hub.demo.grid import completion, compute, snippet
from aevq_hub.demo.grid.compute import edited
from aevq_hub.demo.grid.settings import Grid
from aevq_hub.demo.shared import starts
from aevq_hub.demo.shared.exhibits import exhibit, offers
from aevq_hub.demo.shared.settings import MAX_SEED
from aevq_hub.latent import recombine

GRIDS = list(offers(Grid.can))


def array(image: Image.Image) -> np.ndarray:
    return np.asarray(image, int)


def reach(model) -> int:
    """The distance in pixels up to which a cell can change the picture, by the gradient of the decoder."""
    z = torch.randn(1, *model.config.latent_shape, generator=torch.Generator().manual_seed(0)).requires_grad_()
    size, side = model.config.image_size, model.config.image_size // model.config.grid_size
    with torch.enable_grad():
        model.decode(z)[..., size // 2, size // 2].sum().backward()
    assert z.grad is not None
    rows = z.grad.abs().sum((0, 1, 3)).nonzero()
    return int((rows - size // 2 // side).abs().max() + 1) * side


@pytest.fixture(scope="module", params=GRIDS)
def model_name(request):
    return request.param


def test_only_grid_models_are_offered():
    assert {"vqae-fashionmnist", "vqvae-fashionmnist"} <= set(GRIDS)
    with pytest.raises(ValueError, match="unknown model 'center-mnist'; choose from vqae-"):
        Grid("center-mnist")


def test_edited_cell_changes_only_nearby_pixels(model_name):
    model, settings = exhibit(model_name).model, Grid(model_name)
    near = compute.indices(settings)
    # the code least like the cell's: on MNIST many are black, as is the corner
    code = (model.vectors - model.vectors[near[0][0]]).norm(dim=1).argmax().item()
    s = edited(replace(settings, row=1, column=1, code=code), "put")
    apart = np.abs(array(compute.picture(s)) - array(compute.direct(s)))
    apart = apart.reshape(*apart.shape[:2], -1).max(2)
    far = reach(model)
    assert far < model.config.image_size, "a decoder this deep has no far pixels"
    assert apart[:8, :8].max() > 5 and apart[far:].max() == apart[:, far:].max() == 0
    change = compute.change(s)
    assert 0 < change.changed <= far**2 and change.pixels == model.config.image_size**2
    shown = array(change.picture)
    is_coloured = shown[..., 0] != shown[..., 2]  # orange; the rest is grey
    assert is_coloured.sum() == change.changed
    assert (apart[is_coloured] >= 5).all() and compute.is_edited(s)[0][0]
    assert sum(map(sum, compute.is_edited(s))) == 1


def test_edited_picture_is_the_decoded_matrix(model_name):
    model = exhibit(model_name).model
    s = edited(edited(Grid(model_name, code=3, row=2, column=5, to_row=3, to_column=6), "quantise"), "put")
    indices = torch.tensor([compute.indices(s)])
    assert (indices[0, 1:3, 4:6] == 3).all()
    assert compute.picture(s).tobytes() == model.to_pil(model.decode_indices(indices))[0].tobytes()
    # every text form of the matrix gives the same cells
    for text in (compute.matrix_text(s), compute.csv(s), str(indices[0].tolist())):
        assert replace(s, cells=text).cells == s.cells


def test_unedited_cells_keep_the_encoder_output(model_name):
    model, s = exhibit(model_name).model, Grid(model_name, "sample:4")
    shown = exhibit(model_name)
    assert compute.picture(s).tobytes() == model.to_pil(model.render(shown.z[4:5]))[0].tobytes()
    assert compute.change(s).changed == 0
    is_same = compute.quantised(s).tobytes() == compute.direct(s).tobytes()
    assert is_same == (model.config.feed == "codebook")
    quantised = edited(s, "quantise")
    assert compute.picture(quantised).tobytes() == compute.quantised(s).tobytes()
    assert compute.matrix_text(s).count("~") == (0 if is_same else model.config.grid_size**2)
    assert edited(quantised, "reset").cells == ""


def test_rectangle_of_another_picture_is_pasted(model_name):
    model = exhibit(model_name).model
    s = edited(Grid(model_name, "sample:0", "sample:7", row=4, column=2, to_row=2, to_column=3), "paste")
    z = model.decoder_input(exhibit(model_name).z[[0, 7]])
    wanted = recombine.paste(z[0], z[1], recombine.rectangle((1, 1), (3, 2)))
    assert compute.picture(s).tobytes() == model.to_pil(model.decode(wanted[None]))[0].tobytes()
    assert edited(s, "keep").cells == ""


def test_actions_match_the_latent_functions(model_name):
    model = exhibit(model_name).model
    size, book = model.config.grid_size, model.vectors
    s = Grid(model_name, code=5, row=2, column=3, share=0.5, seed=9)
    z = model.decoder_input(exhibit(model_name).z[:1])[0]
    wanted = {
        "random": book[recombine.random_indices(1, size, len(book), torch.Generator().manual_seed(9))[0]].movedim(2, 0),
        "broadcast": recombine.broadcast(5, size, book),
        "zeros": recombine.among_zeros(5, (1, 2), size, book),
        "share": recombine.replace_share(z, 0.5, book, torch.Generator().manual_seed(9)),
    }
    for action, grid in wanted.items():
        after = edited(s, action)
        assert torch.equal(compute._grid(after), grid), action
        assert after.seed == s.seed + (action in ("random", "share"))  # the next random action differs
    assert edited(edited(s, "share"), "share").cells != edited(s, "share").cells
    with pytest.raises(ValueError, match="unknown action 'shuffle'; choose from put, paste"):
        edited(s, "shuffle")


@pytest.mark.parametrize(
    "settings", [{"code": 100}, {"code": -1}, {"row": 8}, {"to_column": 9}, {"share": 1.5}, {"share": None},
                 {"seed": -1}, {"seed": "1"}, {"second": "sample:x"}]
)  # fmt: skip
def test_invalid_setting_is_refused_with_one_sentence(settings):
    with pytest.raises(ValueError, match=rf"{next(iter(settings))} is .*; give"):
        Grid("vqae-fashionmnist", **settings)


@pytest.mark.parametrize(
    ("start", "second", "actions"),
    [
        ("sample:2", "random:5", []),
        ("sample:3", "image", ["paste"]),
        ("image", "sample:1", ["zeros"]),
        ("sample:2", "sample:1", ["random"]),
        ("random:5", "image", ["share", "paste", "put"]),
    ],
)
def test_python_code_reproduces_the_picture_exactly(model_name, start, second, actions, tmp_path):
    image = starts.bring(file_of(Image.radial_gradient("L")))
    start, second = (image if token == "image" else token for token in (start, second))
    s = Grid(model_name, start, second, row=2, column=2, to_row=4, to_column=3, code=11)
    for action in actions:
        s = edited(s, action)
        s = replace(s, row=s.row + 1)
    made = picture_of(snippet.code(s), s, tmp_path)
    assert made.tobytes() == compute.picture(s).tobytes()


def test_palette_has_every_code_once_sorted_by_use(model_name):
    shown, palette = exhibit(model_name), compute.palette(model_name)
    assert sorted(palette.codes) == list(range(shown.model.config.num_codes))
    assert palette.shares == sorted(palette.shares, reverse=True) and sum(palette.shares) == pytest.approx(1, abs=0.01)
    side = palette.sprite.width // palette.columns
    code = palette.codes[palette.columns + 1]  # the second code of the second row
    tile = palette.sprite.crop((side, side, 2 * side, 2 * side))
    size = shown.model.config.grid_size
    alone = shown.model.to_pil(shown.model.decode_indices(torch.full((1, size, size), code)))[0]
    assert np.abs(array(tile) - array(alone.resize((side, side), Image.Resampling.BOX).convert("RGB"))).max() <= 1


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
    s = Grid(model_name, row=2, column=2, to_row=4, to_column=6, seed=5)
    model, near, done = exhibit(model_name).model, compute.indices(s), edited(s, action)
    free = torch.zeros(s.config.grid_size, s.config.grid_size, dtype=torch.bool)
    free[1:4, 1:6] = True
    free = free if action == "fill" else ~free
    wanted = model.complete(torch.tensor([near]), ~free, seed=5)[0]
    for (r, row), is_free in zip(enumerate(done.matrix), free.tolist(), strict=True):
        assert [cell for cell, new in zip(row, is_free, strict=True) if not new] == ["~"] * is_free.count(False)
        assert [cell for cell, new in zip(row, is_free, strict=True) if new] == wanted[r, free[r]].tolist()
    assert done.seed == 5 + compute.PROPOSALS
    proposed = completion.proposals(s, action)
    assert [one.seed for one in proposed] == [5, 6, 7, 8] and proposed[0].settings == done
    assert len({one.settings.cells for one in proposed}) > 1
    assert proposed[2].picture.tobytes() == compute.picture(proposed[2].settings).tobytes()


def test_proposals_have_the_next_seeds_and_stay_when_one_is_taken():
    s = Grid("vqae-fashionmnist", row=2, column=2, to_row=4, to_column=6, seed=MAX_SEED - 1)
    proposed = completion.proposals(s, "fill")
    assert [one.seed for one in proposed] == [MAX_SEED - 1, 0, 1, 2]
    again = completion.proposals(replace(proposed[0].settings, seed=s.seed), "fill")
    assert [one.settings.cells for one in again] == [one.settings.cells for one in proposed]
    with pytest.raises(ValueError, match="unknown action 'draw'; choose from fill, fill_rest, seam"):
        completion.proposals(s, "draw")


def test_seam_is_around_what_was_pasted(model_name):
    s = Grid(model_name, row=1, column=1, to_row=3, to_column=3, seed=1)
    with pytest.raises(ValueError, match="Nothing is pasted from the second picture, so there is no seam to fill"):
        edited(s, "seam")
    done = edited(edited(s, "paste"), "seam")
    for row, cells in enumerate(done.matrix):
        for column, cell in enumerate(cells):
            if max(row, column) < 3:
                assert cell == "@"  # what was pasted stays
            elif max(row, column) == 3:
                assert isinstance(cell, int)
            else:
                assert cell == "~"
    assert len(completion.proposals(edited(s, "paste"), "seam")) == compute.PROPOSALS


def test_whole_grid_is_drawn_as_the_model_samples_it(model_name):
    s = edited(Grid(model_name, seed=3), "draw")
    model = exhibit(model_name).model
    sampled = model.grids.sample_indices(1, torch.Generator().manual_seed(3))
    assert s.matrix == sampled[0].tolist() and s.seed == 4


def test_unusual_cells_are_those_that_do_not_fit(model_name):
    s = Grid(model_name, row=1, column=1)
    before = completion.surprise(s)
    model = exhibit(model_name).model
    rare = model.grids.probability[0, 0].argmin().item()  # never there, in most models
    put = edited(replace(s, code=rare), "put")
    after = completion.surprise(put)
    assert after.bits[0][0] > before.bits[0][0]
    assert after.bits == model.surprise(compute.grid_indices(put)[None])[0].tolist()
    red, _, blue = array(after.picture)[0, 0]
    assert red > blue  # orange
