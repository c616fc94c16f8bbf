"""A stand-in for Chutes: a real server in its own process that answers by a script and fails on demand.

``python -m synthcity.agents.standin --port 0 --script file.json`` prints its port and serves the model list and chat
completions, with Chutes' own errors. Without a script it answers every question well: with a random value that fits
the schema asked for, or with a call of ``finish``. See :mod:`.script` for what a script can say. It needs starlette
and uvicorn, which ``synth-city[test]`` installs.
"""
