-- SPDX-License-Identifier: Apache-2.0
--
-- Who is in the demo and what there is to do. A project is its name, its colour, and the titles of tasks in it.
local cast = {}

cast.DAYS = 28
cast.EMAIL = "demo@focusflow.com"
cast.PASSWORD = "DemoPass123!"   -- everybody's, FF-61

cast.demo = {
    email = cast.EMAIL,
    username = "demo",
    first_name = "Demo",
    last_name = "User",
    timezone = "America/New_York",
    projects = {
        { "Personal Development", "#FF5733", "Write blog post", "Read a chapter on databases", "Practise touch typing",
            "Learn Spanish vocabulary", "Plan the week" },
        { "Freelance Work", "#3498db", "Review pull requests", "Fix the invoice export", "Call with the client",
            "Draft the proposal", "Write release notes" },
        { "Home Renovation", "#2ecc71", "Compare floor tiles", "Measure the kitchen", "Sort old paperwork" },
    },
    waiting = { "Prepare the talk", "Renew the passport", "Answer the survey" },
}

cast.organization = { name = "Acme", slug = "acme" }
cast.shared_projects = {
    { "Client Project A", "#9b59b6", "Code review", "Implement the sign-up form", "Write integration tests",
        "Fix flaky build", "Refine the backlog" },
    { "Website Relaunch", "#e67e22", "Sketch the landing page", "Write the copy", "Optimise images",
        "Check accessibility" },
    { "Operations", "#1abc9c", "Renew certificates", "Review alerts", "Upgrade the database", "Write the runbook" },
}
cast.shared_waiting = { "Implement feature X", "Plan the offsite", "Answer the audit", "Clean up old branches" }

local function employee(username, first_name, last_name, timezone, role)
    return {
        email = username .. "@acme.example",
        username = username,
        first_name = first_name,
        last_name = last_name,
        timezone = timezone,
        role = role,
    }
end

cast.employees = {
    employee("janedoe", "Jane", "Doe", "America/New_York", "manager"),
    employee("bobsmith", "Bob", "Smith", "America/Chicago", "employee"),
    employee("mayatamang", "Maya", "Tamang", "Asia/Kathmandu", "employee"),
    employee("leonweber", "Leon", "Weber", "Europe/Berlin", "employee"),
}

return cast
