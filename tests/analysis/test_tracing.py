"""Layers, parameters, MACs and FLOPs against hand counts, and fields of what is not a chain of convolutions."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from clothing_classifier.analysis import summarise, trace
from clothing_classifier.errors import AnalysisError
from clothing_classifier.models import create_model


class Function(nn.Module):
    """A network that is one function, beside the modules it uses."""

    def __init__(self, function: Callable[..., Any], **modules: nn.Module) -> None:
        super().__init__()
        for name, module in modules.items():
            self.add_module(name, module)
        self.function = function

    def forward(self, x: Tensor) -> Any:
        return self.function(x, *self.children())


def rows(model: nn.Module, *shape: int) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in summarise("", trace(model, shape))["layers"]}


def totals(model: nn.Module, *shape: int) -> dict[str, Any]:
    result: dict[str, Any] = summarise("", trace(model, shape))["totals"]
    return result


@pytest.mark.parametrize(("layer", "shape", "params", "macs"), [
    (nn.Conv2d(3, 8, 3, padding=1), (3, 10, 12), 8 * 27 + 8, 10 * 12 * 8 * 27),
    (nn.Conv2d(8, 8, (1, 3), stride=(2, 1), groups=8, bias=False), (8, 9, 9), 24, 8 * 5 * 7 * 3),
    (nn.Conv2d(4, 6, 3, dilation=2, groups=2), (4, 9, 9), 6 * 2 * 9 + 6, 6 * 25 * 2 * 9),
    (nn.ConvTranspose2d(4, 6, 3, stride=2, groups=2), (4, 5, 5), 4 * 3 * 9 + 6, 4 * 25 * 3 * 9),
    (nn.Linear(7, 5), (2, 3, 7), 40, 2 * 3 * 7 * 5),
    (nn.ReLU(), (3, 4, 4), 0, 0),
    (nn.BatchNorm2d(3), (3, 4, 4), 6, 0),
    (nn.AvgPool2d(2), (3, 4, 4), 0, 0),
])  # fmt: skip
def test_layers_by_hand(layer: nn.Module, shape: tuple[int, ...], params: int, macs: int) -> None:
    row = rows(nn.Sequential(layer), *shape)["0"]
    assert (row["type"], row["params"], row["macs"]) == (type(layer).__name__, params, macs)
    elements = torch.tensor(row["output"]).prod().item()
    assert row["flops"] == (2 * macs if macs else elements)
    assert row["output"] == list(layer.eval()(torch.zeros(1, *shape)).shape[1:])


def test_moving_data_is_no_arithmetic() -> None:
    model = Function(lambda x: torch.cat([x.flatten(1), x.flatten(1)], 1)[:, ::2].clone())
    assert totals(model, 3, 4, 4)["flops"] == 0


@pytest.mark.parametrize("product", [
    lambda q: q @ q.transpose(1, 2),
    lambda q: torch.einsum("btc,bsc->bts", q, q),
    lambda q: torch.bmm(q, q.mT),
    lambda q: torch.matmul(q[:, None], q.mT[:, None]),
    lambda q: torch.addbmm(torch.zeros(20, 20), q, q.mT),
])  # fmt: skip
def test_products_are_seen_however_they_are_written(product: Callable[[Tensor], Tensor]) -> None:
    assert totals(Function(lambda x: product(x.flatten(2).transpose(1, 2))), 6, 4, 5)["macs"] == 20 * 20 * 6


@pytest.mark.parametrize("need_weights", [True, False])
def test_attention_by_hand(need_weights: bool) -> None:
    def attend(x: Tensor, attention: nn.Module) -> Tensor:
        tokens = x.flatten(2).transpose(1, 2)
        return attention(tokens, tokens, tokens, need_weights=need_weights)[0]  # type: ignore[no-any-return]

    found = totals(Function(attend, attention=nn.MultiheadAttention(8, 2, batch_first=True)), 8, 4, 4)
    projections, scores_and_values = 4 * 16 * 8 * 8, 2 * 16 * 16 * 8
    assert found["macs"] == projections + scores_and_values
    assert found["params"] == 4 * (8 * 8 + 8)
    assert found["global"]
    assert found["receptive_field"] == [1, 1]


def test_the_fused_path_of_attention_counts_the_same() -> None:
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, dropout=0.0)
    model = Function(lambda x, layer: layer(x.flatten(2).transpose(1, 2)), layer=layer)
    assert totals(model, 8, 4, 4)["macs"] == 16 * 8 * 8 * 4 + 2 * 16 * 16 * 8 + 2 * 16 * 8 * 16
    assert torch.backends.mha.get_fastpath_enabled()


def test_a_module_called_again_has_a_row_each_time_and_parameters_once() -> None:
    conv = nn.Conv2d(3, 3, 3, padding=1)
    found = summarise("", trace(Function(lambda x, c: c(c(x)), conv=conv), (3, 8, 8)))
    assert [row["name"] for row in found["layers"]] == ["conv", "conv"]
    assert [row["receptive_field"] for row in found["layers"]] == [[3, 3], [5, 5]]
    assert found["totals"]["params"] == 84
    assert found["totals"]["macs"] == 2 * 64 * 81


@pytest.mark.parametrize("name", ["mobilenet_v2", "resnet_small"])
def test_flops_agree_with_torchs_own_counter(name: str) -> None:
    model = create_model(name, 10).eval()
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        model(torch.zeros(1, 3, 64, 64))
    assert 2 * totals(model, 3, 64, 64)["macs"] == counter.get_total_flops()
    assert totals(model, 3, 64, 64)["params"] == sum(p.numel() for p in model.parameters())


def squeeze_and_excite(x: Tensor, first: nn.Module, gate: nn.Module, last: nn.Module) -> Tensor:
    x = first(x)
    return last(x * gate(F.adaptive_avg_pool2d(x, 1)).sigmoid())  # type: ignore[no-any-return]


def test_a_gate_sees_the_whole_image_and_leaves_the_local_field() -> None:
    model = Function(squeeze_and_excite, first=nn.Conv2d(3, 4, 3, 2, 1), gate=nn.Conv2d(4, 4, 1),
                     last=nn.Conv2d(4, 4, 3, padding=1))  # fmt: skip
    found = rows(model, 3, 32, 32)
    assert [(found[name]["global"], found[name]["receptive_field"]) for name in ("first", "gate", "last")] == [
        (False, [3, 3]), (True, [3, 3]), (True, [7, 7])]  # fmt: skip


@pytest.mark.parametrize(("layer", "is_global"), [
    (nn.BatchNorm2d(4), False), (nn.GroupNorm(2, 4), True), (nn.InstanceNorm2d(4), True),
    (nn.LayerNorm([4, 8, 8]), True), (nn.LocalResponseNorm(3), False), (nn.AdaptiveAvgPool2d(1), True),
    (nn.AdaptiveMaxPool2d(1), True), (nn.AdaptiveAvgPool2d(4), False), (nn.Softmax(1), False),
    (nn.Softmax(3), True), (nn.Softmax2d(), False), (nn.Sequential(nn.Flatten(), nn.Linear(256, 2)), True),
])  # fmt: skip
def test_what_sees_the_whole_image(layer: nn.Module, is_global: bool) -> None:
    assert totals(nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), layer), 3, 8, 8)["global"] is is_global


def test_attention_within_windows_is_local() -> None:
    def windows(x: Tensor) -> Tensor:
        n, c, h, w = x.shape
        x = x.permute(0, 2, 3, 1).view(n, h // 4, 4, w // 4, 4, c).transpose(2, 3).reshape(-1, 16, c)
        x = F.scaled_dot_product_attention(x, x, x)
        return x.view(n, h // 4, w // 4, 4, 4, c).transpose(2, 3).reshape(n, h, w, c).permute(0, 3, 1, 2)

    found = totals(Function(windows), 3, 32, 32)
    assert (found["receptive_field"], found["stride"], found["global"]) == ([4, 4], [1, 1], False)


def test_tokens_behind_a_class_token_keep_the_field_of_their_patch() -> None:
    model = Function(lambda x, patches: torch.cat([torch.zeros(1, 1, 6), patches(x).flatten(2).transpose(1, 2)], 1),
                     patches=nn.Conv2d(3, 6, 8, 8))  # fmt: skip
    found = totals(model, 3, 32, 32)
    assert (found["receptive_field"], found["stride"], found["start"]) == ([8, 8], [8, 8], [0, 0])


def test_an_operator_without_a_rule_is_named_and_sees_the_whole_image() -> None:
    model = Function(lambda x, conv: torch.linalg.inv(conv(x)), conv=nn.Conv2d(3, 3, 3, padding=1))
    found = summarise("", trace(model, (3, 8, 8)))
    assert found["operators_without_a_rule"] == ["linalg_inv_ex"]
    assert found["layers"][-1]["global"]
    assert found["totals"]["receptive_field"] == [3, 3]


def test_a_view_without_a_rule_read_again_after_a_write_sees_the_whole_image() -> None:
    def strided(x: Tensor, conv: nn.Module, wide: nn.Module) -> Tensor:
        x = conv(x)
        view = x.as_strided((1, 4, 4, 4), (256, 64, 16, 2))
        x.add_(wide(x))
        return view + 1

    model = Function(strided, conv=nn.Conv2d(3, 4, 3, padding=1), wide=nn.Conv2d(4, 4, 5, padding=2))
    found = summarise("", trace(model, (3, 8, 8)))
    assert found["operators_without_a_rule"] == ["as_strided"]
    assert found["layers"][-1]["global"]


def test_uneven_axes_and_padding_on_one_side() -> None:
    model = nn.Sequential(nn.ZeroPad2d((0, 1, 2, 0)), nn.Conv2d(3, 4, (5, 3), stride=(2, 3), dilation=(1, 2)))
    found = totals(model, 3, 32, 32)
    assert (found["receptive_field"], found["stride"], found["start"]) == ([5, 5], [2, 3], [-2, 0])


def test_up_sampling_has_a_fractional_stride_and_its_largest_field() -> None:
    model = nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(3, 3, 2))
    found = totals(model, 3, 8, 8)
    assert (found["stride"], found["receptive_field"]) == ([0.5, 0.5], [2, 2])


@pytest.mark.parametrize(("model", "stride"), [
    (nn.Sequential(nn.Conv2d(3, 3, 3, 2), nn.ConvTranspose2d(3, 3, 1, 2)), [1, 1]),
    (nn.Sequential(nn.Conv2d(3, 3, 3, 4), nn.ConvTranspose2d(3, 3, 2, 3)), [4 / 3, 4 / 3]),
    (nn.Sequential(nn.Conv2d(3, 3, 3, 2), nn.ConvTranspose2d(3, 3, (1, 3), (2, 1))), [1, 2]),
    (nn.ConvTranspose2d(3, 3, 1, 2), [0.5, 0.5]),
    (nn.ConvTranspose2d(3, 3, 2, 3), [1 / 3, 1 / 3]),
])  # fmt: skip
def test_units_between_taps_that_see_nothing_count_in_the_stride(model: nn.Module, stride: list[float]) -> None:
    assert totals(model, 3, 40, 40)["stride"] == pytest.approx(stride)


@pytest.mark.parametrize("pool", [
    nn.AvgPool2d((2,)), nn.MaxPool2d([2]), Function(lambda x: F.avg_pool2d(x, [2])),
    Function(lambda x: torch.max_pool2d(x, [2], [2], [0])),
])  # fmt: skip
def test_one_number_in_a_list_stands_for_all_sides_of_a_window(pool: nn.Module) -> None:
    found = totals(nn.Sequential(nn.Conv2d(3, 4, 3), pool), 3, 20, 20)
    assert (found["receptive_field"], found["stride"]) == ([4, 4], [2, 2])


@pytest.mark.parametrize(("function", "shape", "words"), [
    (lambda x: x if x.mean() > 0 else -x, (3, 8, 8), "depends on pixel values"),
    (lambda x: x[x > 0], (3, 8, 8), "depends on pixel values"),
    (lambda x: F.conv2d(x, torch.zeros(1, 3, 9, 9)), (3, 8, 8), "can't take an image of 3x8x8"),
    (lambda x: torch.zeros(3), (3, 8, 8), "no tensor that depends on the image"),
    (lambda x: {}["a"], (3, 8, 8), "can't take"),
    (lambda x: F.pixel_unshuffle(x, 2), (3, 1, 4), "operator pixel_unshuffle: can't take an image of 3x1x4"),
])  # fmt: skip
def test_what_can_not_be_read_is_one_line(
    function: Callable[[Tensor], Any], shape: tuple[int, ...], words: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(AnalysisError) as caught:
        trace(Function(function), shape)
    assert words in str(caught.value)
    assert capfd.readouterr().err == ""
    assert "\n" not in str(caught.value)


def test_the_network_is_left_as_it_was() -> None:
    model = create_model("resnet_small", 10).train()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    trace(model, (3, 32, 32))
    assert model.training
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())


def shifted_channels(x: Tensor, conv: nn.Module) -> Tensor:
    y = conv(x)
    out = torch.zeros_like(y)
    out[:, :1, 1:] = y[:, :1, :-1]
    out[:, 1:] = y[:, 1:]
    return out


def small_unet(x: Tensor, *convs: nn.Module) -> Tensor:
    skips = []
    for conv in convs[:3]:
        x = conv(x)
        skips.append(x)
        x = F.avg_pool2d(x, 2)
    x = convs[3](x)
    for skip, conv in zip(reversed(skips), convs[4:], strict=True):
        x = conv(torch.cat([F.interpolate(x, size=skip.shape[2:]), skip], 1))
    return x


def convs(*sizes: tuple[int, int]) -> dict[str, nn.Module]:
    return {f"c{i}": nn.Conv2d(a, b, 3, padding=1) for i, (a, b) in enumerate(sizes)}


@pytest.mark.parametrize("side", [64, 96, 100, 110, 200, 299])
def test_branches_whose_sizes_do_not_divide_have_the_field_of_those_that_do(side: int) -> None:
    model = Function(small_unet, **convs((3, 2), (2, 2), (2, 2), (2, 2), (4, 2), (4, 2), (4, 2)))
    found = totals(model, 3, side, side + 1)
    assert found["receptive_field"][0] == totals(model, 3, 64, 64)["receptive_field"][0]
    assert found["start"][0] == totals(model, 3, 64, 64)["start"][0]


@pytest.mark.parametrize(("function", "expected"), [
    (shifted_channels, ([4, 3], [1, 1], False)),
    (lambda x, conv: torch.stack(list(conv(x).unbind(2)), 2), ([3, 3], [1, 1], False)),
    (lambda x, conv: conv(torch.cat([x, x.flip(3)], 0))[:1], ([3, 3], [1, 1], False)),
    (lambda x, conv: F.avg_pool2d(conv(x), x.shape[2:]), ([3, 3], [1, 1], True)),
    (lambda x, conv: conv(x).transpose(2, 3).contiguous().transpose(2, 3), ([3, 3], [1, 1], False)),
    (lambda x, conv: F.glu(conv(x), 1), ([3, 3], [1, 1], False)),
])  # fmt: skip
def test_ways_to_write_it(function: Callable[..., Any], expected: tuple[list[int], list[int], bool]) -> None:
    found = totals(Function(function, conv=nn.Conv2d(3, 4, 3, padding=1)), 3, 16, 16)
    assert (found["receptive_field"], found["stride"], found["global"]) == expected


def test_channels_beside_a_single_row_are_no_positions() -> None:
    model = Function(lambda x, first, last: last(first(x).squeeze(2)), first=nn.Conv2d(3, 8, (16, 3)),
                     last=nn.Conv1d(8, 5, 3))  # fmt: skip
    found = totals(model, 3, 16, 40)
    assert (found["receptive_field"], found["global"]) == ([16, 5], False)


@pytest.mark.parametrize("side", [1, 2, 9])
@pytest.mark.parametrize("groups", [1, 2, 4])
def test_groups_of_one_channel_on_a_single_row_leave_its_field(side: int, groups: int) -> None:
    first, last = nn.Conv2d(3, 4, 3, 2, 1), nn.Conv2d(4, 4, 3, 2, 1, groups=groups)
    for middle in (nn.Identity(), nn.ChannelShuffle(4)):
        for shape in ((3, side, 9), (3, 9, side)):
            found = totals(nn.Sequential(first, middle, last), *shape)
            assert (found["receptive_field"], found["stride"], found["global"]) == ([7, 7], [4, 4], False)
    found = totals(nn.Sequential(first, nn.PixelShuffle(2)), 3, side, 9)
    assert (found["receptive_field"], found["stride"]) == ([3, 3], [1, 1])


def test_a_buffer_of_indices_is_read_as_it_is() -> None:
    model = Function(lambda x, conv: conv(x)[:, :, model.rows], conv=nn.Conv2d(3, 4, 3, padding=1))
    model.register_buffer("rows", torch.tensor([2, 0]))
    (row,) = (layer for layer in trace(model, (3, 16, 16)).layers if layer.type == "index")
    assert row.field is not None
    assert row.field.axes[0].at(2, np.array([0, 1]))[0].ravel().tolist() == [1, -1]


def test_recurrent_layers_count_their_products() -> None:
    model = Function(lambda x, lstm: lstm(x.flatten(2).transpose(1, 2))[0], lstm=nn.LSTM(3, 4, batch_first=True))
    assert totals(model, 3, 4, 4)["macs"] == 16 * 4 * 4 * (3 + 4)


def test_an_embedding_holds_its_parameters() -> None:
    def add_positions(x: Tensor, table: nn.Module) -> Tensor:
        return x.flatten(2).transpose(1, 2) + table(torch.arange(16))

    found = rows(Function(add_positions, table=nn.Embedding(16, 3)), 3, 4, 4)
    assert (found["table"]["params"], found["add"]["params"]) == (48, 0)


def test_flags_and_what_a_forward_keeps_are_put_back() -> None:
    def forward(x: Tensor, norm: nn.Module) -> Tensor:
        model.kept = torch.arange(3)
        return norm(x)  # type: ignore[no-any-return]

    model = Function(forward, norm=nn.BatchNorm2d(3)).train()
    model.norm.eval()  # type: ignore[union-attr, operator]
    trace(model, (3, 4, 4))
    assert (model.training, model.norm.training) == (True, False)  # type: ignore[union-attr]
    assert not hasattr(model, "kept")


def test_lazy_layers_are_made() -> None:
    lazy = nn.Sequential(nn.LazyConv2d(4, 3), nn.LazyBatchNorm2d())
    assert totals(lazy, 3, 8, 8)["params"] == 3 * 4 * 9 + 4 + 8
