"""What a configuration asks for is what steps do; a wrong one says so."""

import pytest
import torch

from rankd_train.errors import ConfigError
from rankd_train.training.optimiser import OptimiserConfig, find_device, make_optimiser
from rankd_train.training.precision import Precision

CPU = torch.device("cpu")


def after_one_step(config: OptimiserConfig) -> torch.Tensor:
    weight = torch.nn.Parameter(torch.tensor([1.0, -2.0]))
    optimiser = make_optimiser([weight], config)
    weight.grad = torch.tensor([0.5, 0.25])
    optimiser.step()
    return weight.detach()


def test_adam_adds_its_weight_decay_to_the_gradient_and_adamw_shrinks_the_weights():
    start, rate, decay = torch.tensor([1.0, -2.0]), 0.1, 0.5
    gradient = torch.tensor([0.5, 0.25])
    # The first step of Adam has the size of the rate and the sign of the gradient (Kingma & Ba 2015, algorithm 1).
    adam = after_one_step(OptimiserConfig(learning_rate=rate, weight_decay=decay))
    assert adam.tolist() == pytest.approx((start - rate * torch.sign(gradient + decay * start)).tolist(), abs=1e-5)
    adamw = after_one_step(OptimiserConfig(kind="adamw", learning_rate=rate, weight_decay=decay))
    assert adamw.tolist() == pytest.approx(
        (start * (1 - rate * decay) - rate * torch.sign(gradient)).tolist(), abs=1e-5
    )
    sgd = after_one_step(OptimiserConfig(kind="sgd", learning_rate=rate, weight_decay=0.0))
    assert sgd.tolist() == pytest.approx((start - rate * gradient).tolist())


def test_fp16_on_a_processor_becomes_bf16_and_says_so(capsys):
    precision = Precision(OptimiserConfig(precision="fp16"), CPU)
    assert precision.dtype == torch.bfloat16
    assert "bf16 instead" in capsys.readouterr().err
    with precision.forward():
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.bfloat16
    with Precision(OptimiserConfig(), CPU).forward():
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.float32


@pytest.mark.parametrize(
    ("setting", "named"),
    [
        ({"learning_rate": 0.0}, "learning_rate"),
        ({"batch_size": -1}, "batch_size"),
        ({"clip_norm": -1.0}, "clip_norm"),
        ({"betas": (0.9, 1.0)}, "betas"),
        ({"plateau_factor": 1.5}, "plateau_factor"),
    ],
)
def test_a_setting_that_cannot_work_is_named(setting, named):
    with pytest.raises(ConfigError, match=f"optimiser.{named}"):
        OptimiserConfig(**setting)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a device")
def test_a_device_that_is_not_there_is_an_error():
    with pytest.raises(ConfigError, match=r"optimiser\.device"):
        find_device(OptimiserConfig(device="cuda"))
