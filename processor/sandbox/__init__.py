"""A local server that speaks OpenAI's API, strictly; shares no code with the client."""

from processor.sandbox.app import build_app
from processor.sandbox.clock import Clock, ManualClock, SystemClock
from processor.sandbox.config import ConfigError, SandboxConfig
from processor.sandbox.faults.fault import Fault, FaultError, parse_fault
from processor.sandbox.server import running, serve

__all__ = [
    "Clock",
    "ConfigError",
    "Fault",
    "FaultError",
    "ManualClock",
    "SandboxConfig",
    "SystemClock",
    "build_app",
    "parse_fault",
    "running",
    "serve",
]
