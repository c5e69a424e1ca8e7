"""What pyproject.toml cannot say: a wheel has profiles and limits in harness/shipped."""

from pathlib import Path
from shutil import copyfile

from setuptools import setup
from setuptools.command.build_py import build_py


class WithShipped(build_py):
    """Copies them; an editable install finds them where they are."""

    def run(self) -> None:
        super().run()
        if self.editable_mode:
            return
        there = Path(self.build_lib) / "harness" / "shipped"
        for path in (*Path("profiles").glob("*.toml"), Path("thresholds.toml")):
            (there / path).parent.mkdir(parents=True, exist_ok=True)
            copyfile(path, there / path)


setup(cmdclass={"build_py": WithShipped})
