"""A playbook with every kind of step, for whoever plays it."""

EVERY_KIND = """
name: every_kind
title: Every kind of step
trigger: {threshold: at_risk, direction: entered}
exit_when: {entered: [critical], condition: "has(account.stage) && account.stage == 'churned'"}
steps:
  - name: tell
    notify: {channel: email, recipients: [{role: champion}], template: told, category: health, message_class: internal}
  - {name: pause, wait: 36h}
  - {name: renewal, wait: {date: renewal_date, before: 30d, time: "09:00", zone: Europe/Berlin}}
  - {name: work, task: {type: call, title: Call, reason: risk, assignee: {round_robin: [ana, ben]}, due_in: 3wd}}
  - name: done
    wait_until:
      condition: "has(steps.work.task) && steps.work.task.status == 'done'"
      timeout: 5d
      otherwise: [{name: give_up, end: {reason: nobody called}}]
  - name: came_of_it
    branch:
      cases: [{name: reached, when: "steps.work.task.outcome == 'reached'", steps: [{name: crm, webhook: {endpoint: crm}}]}]
      otherwise: [{name: ask, approve: {title: "Try again?", by: [ana], rejected: [{name: sorry, end: {reason: enough}}]}}]
  - name: offer
    sales: true
    notify: {channel: email, recipients: [{owner: true}], template: offered, category: sales, message_class: marketing}
"""
