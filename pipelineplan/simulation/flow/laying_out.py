"""Gives every queue of a network its place: stages in a row, or ways that join and part."""

from __future__ import annotations

from pipelineplan.simulation.flow.joint import lay_out_joint
from pipelineplan.simulation.flow.layout import Layout, lay_out_chain
from pipelineplan.simulation.network import Network


def lay_out(network: Network) -> Layout:
    """Where everything of `network` lies.

    Raises `NotSimulated` when nothing limits what is read, since then nothing can fall behind.
    """
    return lay_out_joint(network) if network.joint else lay_out_chain(network)
