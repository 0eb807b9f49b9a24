# A door for node-gyp: one target whose action calls the CMake build. CMakeLists.txt is the only list of sources.
{
  "targets": [
    {
      "target_name": "rankd",
      "type": "none",
      "actions": [
        {
          "action_name": "cmake",
          "inputs": ["CMakeLists.txt"],
          "outputs": ["build/cmake/rankd.node"],
          "action": ["node", "scripts/setup.mjs", "native"]
        }
      ]
    }
  ]
}
