"""Reads a data set by LeRobot, in LeRobot's own environment: `python lerobot_reader.py DATA_SET BACKEND OUT.npz`.

Not a test: `test_lerobot_loader` starts it, and compares what it wrote.
"""

import json
import sys

import numpy as np
import torch
from lerobot.datasets.dataset_tools import delete_episodes, merge_datasets
from lerobot.datasets.lerobot_dataset import LeRobotDataset


def main(root: str, backend: str, out: str) -> None:
    dataset = LeRobotDataset("local/export", root=root, video_backend=backend)
    read = {}
    items = [dataset[index] for index in range(len(dataset))]
    for key in items[0]:
        if key != "task":
            read[key] = torch.stack([item[key] for item in items]).numpy()
    fps = dataset.fps
    chunks = LeRobotDataset(
        "local/export", root=root, video_backend=backend, episodes=[1],
        delta_timestamps={"observation.images.cam_high": [-1 / fps, 0], "action": [n / fps for n in range(4)]},
    )  # fmt: skip
    read["chunk_frames"] = chunks[3]["observation.images.cam_high"].numpy()
    read["chunk_actions"] = chunks[3]["action"].numpy()
    batch = next(iter(torch.utils.data.DataLoader(dataset, batch_size=8, shuffle=True)))
    assert batch["observation.images.cam_high"].shape[0] == 8
    facts = {
        "num_episodes": dataset.num_episodes,
        "num_frames": dataset.num_frames,
        "fps": dataset.fps,
        "camera_keys": dataset.meta.camera_keys,
        "robot_type": dataset.meta.robot_type,
        "tasks": [item["task"] for item in items],
        "stats": {key: sorted(stats) for key, stats in dataset.meta.stats.items()},
    }
    fewer = delete_episodes(dataset, [0], output_dir=f"{root}_fewer", repo_id="local/fewer")
    merged = merge_datasets([dataset, fewer], output_repo_id="local/merged", output_dir=f"{root}_merged")
    facts["num_edited"] = [fewer.num_episodes, len(fewer), merged.num_episodes, len(merged)]
    np.savez(out, facts=json.dumps(facts), **read)


if __name__ == "__main__":
    main(*sys.argv[1:])
