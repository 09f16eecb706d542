#!/usr/bin/env python3
"""What a user would write: a manifest's rows sent with aiohttp. No journal, no limits, and nothing is sent again.

    with_aiohttp.py MANIFEST URL WORKERS MOST
"""

import asyncio
import csv
import sys

import aiohttp


async def main(manifest, url, workers, most):
    queue = asyncio.Queue(maxsize=10 * workers)
    connector = aiohttp.TCPConnector(limit=workers)
    headers = {"Authorization": "Bearer measured"}
    async with aiohttp.ClientSession(connector=connector, headers=headers) as session:

        async def work():
            done = 0
            while (row := await queue.get()) is not None:
                body = {"id": row["media_id"], "metadata": {"alt_text": {"text": row["alt_text"]}}}
                async with session.post(f"{url}/2/media/metadata", json=body) as answer:
                    answer.raise_for_status()
                    done += (await answer.json())["data"]["id"] == row["media_id"]
            return done

        tasks = [asyncio.create_task(work()) for _ in range(workers)]
        with open(manifest, encoding="utf-8", newline="") as file:
            for number, row in enumerate(csv.DictReader(file)):
                if number == most:
                    break
                await queue.put(row)
        for _ in tasks:
            await queue.put(None)
        return sum(await asyncio.gather(*tasks))


if __name__ == "__main__":
    print(asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))))
