"""Ways out of a locked child through a block that has all of Python, and how a training of it must end.

Each is told where it is tried: when the file is run, when the block is built, in a training step, or where it is
judged. What ends "trained" did nothing to anybody else; the test compares its score with that of an honest one.
"""

from __future__ import annotations

from tests.authored.locked import escapes as any_child

TRAINED = "^trained$"
LATE, DEAD, FORBIDDEN = any_child.LATE, any_child.DEAD, any_child.FORBIDDEN
NOT_PERMITTED = any_child.NOT_PERMITTED

# of a child of any kind, by the sentence with which it ends; what ends with a result ends in silence here
OF_ANY_CHILD = {
    name: (
        "train",
        text,
        f"{TRAINED}|ModuleNotFoundError" if text.startswith("result") or "\nresult" in text else f"{how}|{TRAINED}",
    )
    for name, (text, how) in any_child.ESCAPES.items()
    if not name.startswith("lies: ")
}

HANGS = {
    "when it is run": ("file", "while True: pass", LATE),
    "when it is built": ("init", "while True: pass", LATE),
    "in a step": ("train", "while True: pass", LATE),
    "when it is judged": ("judge", "while True: pass", LATE),
    "asleep": ("judge", "import time; time.sleep(100)", LATE),
    "in a backward pass": ("train", "x_bsd.register_hook(lambda g: [None for n in iter(int, 1)])", LATE),
    "when it is looked at": ("file", "import torch\ntorch.nn.Module.state_dict = lambda *a, **k: "
                             "[0 for n in iter(int, 1)]", LATE),
}  # fmt: skip
DEATHS = {
    "leaves": ("train", "import os; os._exit(0)", "without an answer"),
    "leaves when judged": ("judge", "import os; os._exit(7)", "without an answer"),
    "crashes": ("train", "import ctypes; ctypes.string_at(0)", DEAD),
    "exits": ("train", "raise SystemExit", "SystemExit"),
    "interrupts": ("judge", "raise KeyboardInterrupt", "KeyboardInterrupt"),
    "recursion": ("train", "f = lambda: f()\nf()", "RecursionError|crashed"),
    "a thread": ("train", "import threading; threading.Thread(target=print).start()", FORBIDDEN),
    "torch's threads": ("train", "import torch; torch.set_num_threads(4); torch.randn(4000, 4000).sum()",
                        f"{DEAD}|{TRAINED}"),
    "a loader's worker": ("train", "import torch\nd = torch.utils.data.DataLoader([1], num_workers=1)\nlist(d)",
                          f"{DEAD}|not permitted|Error"),
    "a subprocess": ("judge", "import subprocess; subprocess.run(['true'])", f"{DEAD}|not permitted"),
    "torch's shared memory": ("train", "import torch; torch.ones(3).share_memory_()", "Error|forbidden|not permitted"),
    "memory": ("train", "import torch; k = [torch.ones(1 << 26) for _ in range(64)]", "memory|MemoryError|killed"),
    "memory at once": ("judge", "import torch; torch.empty(1 << 44)", "memory"),
}  # fmt: skip
FILES = {
    "torch.load": ("train", "import torch; torch.load('{secret}')", NOT_PERMITTED),
    "torch.save": ("train", "import torch; torch.save(x_bsd.detach(), '{folder}/x')",
                   "Error|not permitted|cannot be opened"),
    "torch.from_file": ("judge", "import torch; torch.from_file('{secret}', size=1)", "not permitted|unable"),
    "safetensors": ("train", "import safetensors.torch as s; s.load_file('{secret}')", "Error|not permitted"),
    "a pickle": (
        "train",
        "import pickle, os\nclass P:\n    def __reduce__(self): return os.system, ('touch {folder}/x',)\n"
        "pickle.loads(pickle.dumps(P()))",
        FORBIDDEN,
    ),
    "a pickle of torch": (
        "judge",
        "import torch, io, os\nclass P:\n    def __reduce__(self): return os.unlink, ('{victim}',)\n"
        "b = io.BytesIO(); torch.save(P(), b); b.seek(0); torch.load(b, weights_only=False)",
        NOT_PERMITTED,
    ),
    "a kernel that is compiled": (
        "train",
        "import torch.utils.cpp_extension as c; c.load_inline('x', 'int f() { return 1; }')",
        "Error|not permitted|forbidden",
    ),
    "a hub": ("train", "import torch; torch.hub.load('a/b', 'c')", "Error|not permitted|forbidden"),
}  # fmt: skip
LIES = {
    "no numbers": ("judge", "return x_bsd * float('nan')", "not finite"),
    "no numbers in a step": ("train", "return x_bsd * float('nan')", "training loss became nan|not finite"),
    "another size": ("judge", "return x_bsd[:, :3]", "RuntimeError"),
    "words on its way": ("train", "print('x' * 10000)", "header of its answer"),
    "more weights than it told": (
        "train",
        "import torch\nif not hasattr(self, 'extra'): self.extra = torch.nn.Parameter(torch.ones(3))",
        "it gave|Error",
    ),
    "a dictionary of parameters": (
        "init", "import torch; self.kept = torch.nn.ParameterDict({'a': torch.nn.Parameter(torch.ones(3))})",
        f"it gave|{TRAINED}",
    ),
    "another loss": ("file", "import synthcity.nets.fit as f; f.Fit.step = lambda self, b: setattr(self, 'steps', "
                     "self.steps + 1) or __import__('torch').zeros(())", "it gave"),
    "another answer": (
        "file",
        "from synthcity.nets.authored import inside as i\nfrom synthcity.authored.locked.wire import Message\n"
        "i._Asked._give = lambda *a: Message({'score': 0.0})",
        "it gave",
    ),
    "no layout": ("file", "from synthcity.nets.authored import inside as i; i.layout_of = lambda n: 'none'",
                  "what tensors"),
    "a giant layout": ("file", "from synthcity.nets.authored import inside as i\n"
                       "i.layout_of = lambda n: [('a', [1 << 50], 'float32', True)]", "no network here"),
}  # fmt: skip
# what it changes is its own: the score is that of an honest one
HARMLESS = {
    "a patched score": ("judge", "import synthcity.nets.loss as l; l.ScoreLoss.per_term = lambda *a: 0", TRAINED),
    "a patched validation": ("file", "import synthcity.nets.validation as v; v.WindowScores.score = -1.0", TRAINED),
    "a patched trainer": ("file", "import synthcity.nets.training as t; t.Trainer.advance = None", TRAINED),
    "a patched class": ("file", "from torch import nn; nn.Linear.extra_repr = lambda self: 'mine'", TRAINED),
    "a patched registry": ("file", "from synthcity.nets import registry as r; r._HEADS.pop('mixture', None)",
                           TRAINED),
    "a hook": ("judge", "import torch.nn.modules.module as m; m.register_module_forward_hook(lambda *a: None)",
               TRAINED),
    "a clock": ("train", "import time; time.thread_time = lambda: 0.0", TRAINED),
    "another seed": ("file", "import torch; torch.manual_seed(7)", TRAINED),
    "the environment": ("judge", "import os; assert not [k for k in os.environ if 'KEY' in k]", TRAINED),
    "what came after": (
        "judge",
        "import sys\nframe, seen = sys._getframe(), []\nwhile frame:\n"
        "    seen += [v for k, v in frame.f_locals.items() if k == 'batch']\n    frame = frame.f_back\n"
        "assert seen and seen[0].realised.isnan().all()",
        TRAINED,
    ),
}  # fmt: skip

_KINDS = {"hangs": HANGS, "deaths": DEATHS, "files": FILES, "lies": LIES, "harmless": HARMLESS}
OWN = {f"{kind}: {name}": escape for kind, found in _KINDS.items() for name, escape in found.items()}
ESCAPES = {**{f"any child's {name}": escape for name, escape in OF_ANY_CHILD.items()}, **OWN}
# of each kind a few, of those that take no time
QUICK = (
    "any child's files: read a file", "any child's network: connect", "hangs: in a step",
    "deaths: leaves", "deaths: a thread", "deaths: memory at once", "files: a pickle", "files: torch.load",
    "lies: no numbers", "lies: another answer", "lies: more weights than it told", "harmless: a patched score",
    "harmless: what came after",
)  # fmt: skip
