"""How losses change networks: gradients, their clipping, AdamW, and the average that is kept."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from train.trainer.captured import queues
from train.trainer.options import RunOptions

StateDict = dict[str, Tensor]
DECAY = 1e-3  # of weights, unless a run says otherwise


class Updates:
    """One optimiser per network, and a step that changes nothing when a gradient is not finite.

    On a device with a queue it is the device that finds that out: asking would make the CPU wait for every step.

    Args:
        networks: "module" is moved by the loss "loss", any other by the loss of its own name, where there is one.
        lr_ratio: the learning rate of the others, as a multiple of the module's.
        queued: decide on the device; None = where the device has a queue.
    """

    def __init__(
        self,
        networks: dict[str, nn.Module],
        options: RunOptions,
        accelerator: Accelerator,
        lr_ratio: float = 1.0,
        queued: bool | None = None,
    ) -> None:
        self.networks, self.options, self.accelerator = networks, options, accelerator
        self.lr_ratio = lr_ratio
        self.queued = queues(accelerator.device) if queued is None else queued
        usual = (0.9, 0.99) if len(networks) == 1 else (0.8, 0.99)  # HiFi-GAN's for both sides of a game
        first, second = options.beta1, options.beta2
        betas = (usual[0] if first is None else first, usual[1] if second is None else second)
        decay = DECAY if options.weight_decay is None else options.weight_decay
        self.parameters = {key: [p for p in net.parameters() if p.requires_grad] for key, net in networks.items()}
        rates = {key: torch.tensor(options.lr, device=accelerator.device) for key in networks}
        self.own: dict[str, dict[str, Any]] = {key: {"lr": options.lr} for key in networks}
        if self.queued:
            capturable = options.graphs and queues(accelerator.device)
            self.own = {key: {"lr": rates[key], "fused": True, "capturable": capturable} for key in networks}
        self.optimisers = {
            key: torch.optim.AdamW(parameters, betas=betas, weight_decay=decay, **self.own[key])
            for key, parameters in self.parameters.items()
        }

    def set_rate(self, rate: float) -> None:
        """The module's learning rate of the steps to come."""
        for key, optimiser in self.optimisers.items():
            wanted = rate if key == "module" else rate * self.lr_ratio
            for group in optimiser.param_groups:
                if isinstance(group["lr"], Tensor):
                    group["lr"].fill_(wanted)
                else:
                    group["lr"] = wanted

    def step(self, values: dict[str, Tensor]) -> None:
        """Move every network that has a loss among `values`."""
        norms = {}
        for key, network in self.networks.items():
            goal = values.get("loss" if key == "module" else key)
            if goal is None:
                continue  # a discriminator before its warm-up
            self.accelerator.backward(goal)
            if self.accelerator.num_processes > 1:
                _average_gradients(self.parameters[key], self.accelerator)
            norms[key] = nn.utils.clip_grad_norm_(network.parameters(), self.options.clip)
        finite = torch.stack([*norms.values()]).isfinite().all()
        if self.queued:
            for key in norms:
                self.optimisers[key].found_inf = (~finite).float()  # type: ignore[attr-defined]  # as a GradScaler does
                self.optimisers[key].step()
        elif bool(finite):
            for key in norms:
                self.optimisers[key].step()
        self.clear()

    def clear(self) -> None:
        """Forget all gradients."""
        for optimiser in self.optimisers.values():
            optimiser.zero_grad(set_to_none=True)

    def state(self) -> dict[str, Any]:
        """What resuming needs, networks included."""
        return {
            "networks": {key: network.state_dict() for key, network in self.networks.items()},
            "optimisers": {key: optimiser.state_dict() for key, optimiser in self.optimisers.items()},
        }

    def load(self, state: dict[str, Any]) -> None:
        """Go on from a `state`, whatever kind of device it comes from."""
        for key, network in self.networks.items():
            network.load_state_dict(state["networks"][key])
            saved = state["optimisers"][key]
            how = {"fused": None, "capturable": False} | self.own[key]
            saved["param_groups"] = [group | how for group in saved["param_groups"]]
            self.optimisers[key].load_state_dict(saved)
            for group in self.optimisers[key].param_groups:
                group["lr"] = self.own[key]["lr"]
            for parameter, moments in self.optimisers[key].state.items():
                for name in ("exp_avg", "exp_avg_sq"):  # fused kernels want them laid out as the weights are
                    moments[name] = torch.empty_like(parameter).copy_(moments[name])


class Ema:
    """Exponential moving average of a module's parameters and buffers, with a warm-up of its own."""

    def __init__(self, module: nn.Module, decay: float) -> None:
        self.module, self.decay = module, decay
        self.updates = 0
        live = module.state_dict()  # shares the module's memory, which optimisers change in place
        self.values = {name: value.detach().clone() for name, value in live.items()}
        pairs = [(self.values[name], value.detach()) for name, value in live.items()]
        self.moving = [pair for pair in pairs if pair[0].is_floating_point()]
        self.counting = [pair for pair in pairs if not pair[0].is_floating_point()]

    @torch.no_grad()
    def update(self) -> None:
        """Move towards the module's present weights."""
        self.updates += 1
        decay = min(self.decay, self.updates / (self.updates + 9))  # young averages follow fast
        averages, present = ([pair[side] for pair in self.moving] for side in range(2))
        get_ema_multi_avg_fn(decay)(averages, present, self.updates)
        for mine, value in self.counting:
            mine.copy_(value)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """The module with the averaged weights, and its own again afterwards."""
        own = {name: value.detach().clone() for name, value in self.module.state_dict().items()}
        self.module.load_state_dict(self.values)
        self.module.eval()
        try:
            with torch.no_grad():
                yield
        finally:
            self.module.load_state_dict(own)
            self.module.train()


def _average_gradients(parameters: list[nn.Parameter], accelerator: Accelerator) -> None:
    """One mean over processes for all gradients at once; a parameter without one takes part as zero."""
    gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
    flat = accelerator.reduce(torch.cat([gradient.flatten() for gradient in gradients]), "mean")
    for parameter, part in zip(parameters, flat.split([p.numel() for p in parameters]), strict=True):
        parameter.grad = part.view_as(parameter)
