"""Long work: processes that outlive the bridge, each with its record, its output and its run folder."""
