"""The demo: a year of real purchases, through the whole product, with a report that is checked."""

from stamgast_cli.demo.run import run_demo

__all__ = ["run_demo"]
