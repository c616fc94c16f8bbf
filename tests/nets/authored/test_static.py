"""What may not be said, said in many ways: refused before anything runs."""

from __future__ import annotations

import pytest

from synthcity.nets.authored.examples import BLOCK, HEAD
from synthcity.nets.authored.static import Refused, read

# into the body of the sample's forward pass, unless it is marked with where it goes
FORWARD = {
    "memory of others by its class": "Tensor(4, 4)",
    "memory of others by torch's name": "torch.Tensor(4, 4)",
    "memory of others under another name": "sorted((x_bsd,), key=Tensor)",
    "randomness that goes on": "torch.Generator()",
    "the order of a set": "list({'a', 'b'})",
    "the order of a set that is made": "[i for i in set(('a', 'b'))]",
    "the order of a frozen set": "sum(frozenset((0.1, 0.2)))",
    "parameters by any name": "nn.ParameterDict({'__init__': 1})['__init__']",
    "parameters by any number": "nn.ParameterList([])",
    "modules by any name": "nn.ModuleDict({})",
    "writing past the version": "self.gate.weight.data.zero_()",
    "a memory": "self.count = 1",
    "a memory that counts": "self.kernel += 1",
    "a memory in a place": "self.gate[0] = x_bsd",
    "a memory deep down": "self.gate.weight[0, 0] = 1",
    "a default that remembers": "(lambda x, seen=[]: seen.append(x))(1)",
    "open a file": "open('/etc/passwd').read()",
    "open in other letters": "\uff4fpen('x')",
    "print": "print(x_bsd)",
    "import by name": "__import__('os').system('id')",
    "evaluate": "eval('1')",
    "execute": "exec('import os')",
    "compile": "compile('1', 'x', 'eval')",
    "builtins": "__builtins__['open']",
    "globals": "globals()",
    "frames by locals": "locals()",
    "getattr": "getattr(torch, 'load')('x')",
    "setattr": "setattr(nn.Module, 'forward', None)",
    "type": "type('X', (), {})",
    "vars": "vars(torch)",
    "object": "object()",
    "input": "input()",
    "breakpoint": "breakpoint()",
    "memoryview": "memoryview(b'')",
    "a module of torch's own": "torch.os.system('id')",
    "torch's builtins": "torch.builtins.open('x')",
    "torch's sys": "torch.sys.modules",
    "torch.load": "torch.load('x')",
    "torch.save": "torch.save(x_bsd, 'x')",
    "torch.hub": "torch.hub.load('a/b', 'c')",
    "torch.from_file": "torch.from_file('x', size=1)",
    "memory of others": "torch.empty(10**6)",
    "torch.compile": "torch.compile(x_bsd)",
    "torch.ops": "torch.ops.load_library('x')",
    "torch.utils": "torch.utils.cpp_extension.load('x', [])",
    "torch.jit": "torch.jit.load('x')",
    "seeds": "torch.manual_seed(0)",
    "threads": "torch.set_num_threads(64)",
    "defaults": "torch.set_default_dtype(torch.float64)",
    "functional's torch": "F.torch.load('x')",
    "functional's math": "F.math.os",
    "a module in a variable": "t = torch; t.load('x')",
    "a module as argument": "list((torch, nn))",
    "the class of a value": "x_bsd.__class__.__base__.__subclasses__()",
    "the globals of a function": "F.relu.__globals__['torch']",
    "the code of a function": "self.mix.__func__.__code__",
    "the insides of a module": "self._modules.clear()",
    "the cell of the class": "__class__",
    "a frame from a generator": "(i for i in ()).gi_frame.f_back.f_globals",
    "a format that walks": "'{0.__class__.__mro__}'.format(x_bsd)",
    "a format map": "'{a.b}'.format_map({})",
    "numpy": "x_bsd.numpy().tofile('x')",
    "storage": "x_bsd.untyped_storage()",
    "storage of a file": "x_bsd.storage().from_file('x')",
    "a pointer": "x_bsd.data_ptr()",
    "share memory": "x_bsd.share_memory_()",
    "a hook": "x_bsd.register_hook(print)",
    "a forward hook": "self.gate.register_forward_hook(print)",
    "another's weights": "self.load_state_dict({})",
    "backward": "x_bsd.sum().backward()",
    "apply": "self.apply(print)",
    "patch torch": "torch.relu = None",
    "patch functional": "F.pad = None",
    "patch a class": "nn.Module.forward = None",
    "patch by name": "self.forward = None",
    "patch the training flag": "self.training = True",
    "patch by loop": "for F.pad in (1, 2): pass",
    "patch by with": "with torch.no_grad() as F.pad: pass",
    "patch by augmenting": "F.pad += 1",
    "patch by dataclass": "dataclass(nn.Module)",
    "register again": "register_block('gru')(nn.Linear)",
    "shadow": "torch = 1",
    "shadow by argument": "(lambda F: F)(1)",
    "rebind self": "self = nn.Module",
    "a while loop": "while True: pass",
    "try": "try: pass\n        except BaseException: pass",
    "delete": "del self.gate",
    "global": "global BLOCK",
    "yield": "yield x_bsd",
    "await": "await x_bsd",
    "match": "match x_bsd:\n            case object(__class__=c): pass",
    "an import within": "import math",
    "super of another": "super(nn.Module, self).forward(x_bsd)",
    "bytes": "b'\\x00'",
    "private attribute": "self._x = 1",
    "dunder keyword": "dict(__class__=1)",
    "a name that opens a way": "self.numpy = self.tofile = x_bsd.numpy().tofile('x')",
}
WHOLE = {
    "a list at the top": BLOCK + "\nSEEN = []\n",
    "a list in a tuple at the top": BLOCK + "\nSEEN = (1, [])\n",
    "a dict at the top": BLOCK + "\nSEEN = dict()\n",
    "a tensor at the top": BLOCK + "\nSEEN = torch.zeros(3)\n",
    "a module at the top": BLOCK + "\nSEEN: nn.Module = nn.Linear(1, 1)\n",
    "a default that remembers": BLOCK + "\ndef f(x, seen=[]):\n    return seen\n",
    "a default by keyword that remembers": BLOCK + "\ndef f(x, *, seen={}):\n    return seen\n",
    "a field that remembers": BLOCK.replace("    def mix", "    seen: list = []\n\n    def mix"),
    "a property of what it is": BLOCK.replace("    moved = noise", "    isinstance(block, int)\n    moved = noise"),
    "a property of its own class": BLOCK.replace("    moved = noise", "    own = GatedAverageBlock\n    moved = noise"),
    "import os": "import os\n" + BLOCK,
    "import a part of os": "from os import system\n" + BLOCK,
    "import ours": "from synthcity.nets import loss\n" + BLOCK,
    "import the scorer": "from synthcity.sn50.crps import crps\n" + BLOCK,
    "import settings": "from synthcity.settings import Settings\n" + BLOCK,
    "import the registry": BLOCK.replace("registry import register_block", "registry import register_block, remove"),
    "import torch.utils": "import torch.utils as u\n" + BLOCK,
    "import all": "from torch import *\n" + BLOCK,
    "import near": "from . import code\n" + BLOCK,
    "import under a name that is used": "from torch.nn.functional import pad as torch\n" + BLOCK,
    "rename a decorator": "from dataclasses import dataclass as dc\n" + BLOCK,
    "code at the top": BLOCK + "\ntorch.zeros(1).fill_(1)\n",
    "a loop at the top": BLOCK + "\nfor i in range(9): pass\n",
    "a metaclass": BLOCK.replace("(ResidualBlock)", "(ResidualBlock, metaclass=abs)"),
    "a base class that is none": BLOCK.replace("(ResidualBlock)", "(ResidualBlock, dict)"),
    "a decorator that is none": BLOCK.replace("@register_block", "@torch.no_grad()\n@register_block"),
    "a decorated method": BLOCK.replace("    def mix", "    @torch.no_grad()\n    def mix"),
    "a dunder method": BLOCK.replace("def mix(", "def __getattr__(self, x): pass\n\n    def mix("),
    "a method that torch has": BLOCK.replace("def mix(", "def state_dict(self): pass\n\n    def mix("),
    "a property that torch has": BLOCK.replace("def mix(", "@property\n    def grad(self): pass\n\n    def mix("),
    "self in a function": BLOCK + "\ndef f(self):\n    self.gate = 1\n",
    "class code": BLOCK.replace("    def mix", "    torch.zeros(1)\n\n    def mix"),
    "two components": BLOCK + HEAD.partition("annotations\n")[2],
    "no component": "import torch\n",
    "no name": BLOCK.replace('"gated_average"', "'gated' + '_average'"),
    "a path for a name": BLOCK.replace('"gated_average"', '"../gated"'),
    "no docstring": BLOCK.replace("    \"\"\"Mix each", "    x: int = 1\n    \"\"\"Mix each"),
    "no property": BLOCK.partition("def stated_property")[0],
    "no Config": BLOCK.replace("class Config", "class Options"),
    "no Python": "def",
    "half a letter": BLOCK + "# \ud800",
    "a tower of brackets": BLOCK + "X = " + "[" * 12_000,
    "a tower of signs": BLOCK + "X = " + "-" * 25_000 + "1",
    "a tower of sums": BLOCK + "X = 1" + "+1" * 12_000,
    "null": "\0",
    "too long": BLOCK + "#" * 40_000,
    "too deep": BLOCK + "\nX = " + "-" * 300 + "1\n",
}  # fmt: skip


def test_the_samples_are_read() -> None:
    block, head = read(BLOCK), read(HEAD)
    assert (block.kind, block.name, block.title) == ("block", "gated_average", "GatedAverageBlock")
    assert (block.causal, block.needs_seq_len) == (True, False)
    assert block.doc.startswith("Mix each step with a learned causal average")
    assert (head.kind, head.name, head.title) == ("head", "plain_normal", "PlainNormalHead")


@pytest.mark.parametrize("name", FORWARD)
def test_what_a_forward_pass_may_not_say(name: str) -> None:
    at = "        padded = "
    assert BLOCK.count(at) == 1
    line = BLOCK[: BLOCK.index(at)].count("\n") + 1
    with pytest.raises(Refused) as refused:
        read(BLOCK.replace(at, f"        {FORWARD[name]}\n{at}"))
    lines = str(refused.value).splitlines()
    lines = [text for text in lines if not text.startswith("line 0:")]
    assert lines
    assert all(line <= int(text.split()[1].rstrip(":")) <= line + 2 for text in lines), lines


@pytest.mark.parametrize("name", WHOLE)
def test_what_a_file_may_not_be(name: str) -> None:
    assert WHOLE[name] != BLOCK
    with pytest.raises(Refused):
        read(WHOLE[name])


def test_what_is_common_in_such_files_is_read() -> None:
    body = """
        heads = [x_bsd[..., i::2].mean(dim=1, keepdim=True) for i in range(2)]
        scores = torch.einsum("bsd,btd->bst", x_bsd, x_bsd) / math.sqrt(x_bsd.shape[-1])
        weights = F.softmax(scores.masked_fill(torch.triu(torch.ones_like(scores[0]), 1).bool(), -1e9), dim=-1)
        spectrum = torch.fft.rfft(x_bsd.float(), dim=1)
        with torch.no_grad():
            order = sorted(range(3), key=lambda i: -i)
        if x_bsd.shape[1] < 2 or not order:
            raise ValueError(f"too short: {x_bsd.shape[1]}")
        x_bsd = x_bsd + 0 * (weights @ x_bsd) + sum(h.detach() for h in heads)
"""
    source = BLOCK.replace("        padded = ", f"{body}\n        padded = ").replace(
        "import torch\n", "import math\nimport torch\n", 1
    )
    assert read(source.replace("        self.kernel = ", "        self.register_buffer('scale', torch.ones(d))\n"
                               "        self.extra = nn.Parameter(torch.zeros(d))\n        nn.init.zeros_(self.extra)\n"
                               "        self.kernel = ")).name == "gated_average"  # fmt: skip
