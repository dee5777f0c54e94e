"""``python -m sekisho`` is the ``sekisho`` command."""

import sys

from sekisho.cli.main import main

sys.exit(main())
