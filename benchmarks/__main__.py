"""`python -m benchmarks`: every program that writes a record to results/."""

from benchmarks import engines, network, speed
from benchmarks.audit import audit
from benchmarks.common import new_app
from benchmarks.experiment import experiment
from benchmarks.guides import guides
from benchmarks.models import models
from benchmarks.pareto import pareto
from benchmarks.quantization import quantization
from benchmarks.robustness import robustness
from benchmarks.scoring import scoring
from benchmarks.serving import serving

app = new_app("Make what ships, measure it, and write records to results/.")
speed.app.command()(engines.engines)
app.add_typer(speed.app, name="speed")
app.add_typer(network.app, name="network")
for command in (audit, experiment, guides, models, pareto, quantization, robustness, scoring, serving):
    app.command()(command)

if __name__ == "__main__":
    app(prog_name="python -m benchmarks")
