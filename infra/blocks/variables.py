"""What functions are told by name: the workspace in force, the lake, and the view of persons."""

from infra.blocks.profile_view import ProfileView
from infra.data_stack import DataStack


def of_workspace(data: DataStack) -> dict[str, str]:
    """Return where the workspace in force and its secret are found."""
    return {
        "CONTROL_TABLE": data.control.table_name,
        "LAKE_BUCKET": data.bucket.bucket_name,
        "WORKSPACE_SECRET": data.secret_name,
    }


def of_view(data: DataStack, view: ProfileView) -> dict[str, str]:
    """Return where workspace and secret are found, and the items of persons."""
    return {**of_workspace(data), "PROFILES_TABLE": view.table.table_name}
